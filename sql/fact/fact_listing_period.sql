-- fact_listing_period 挂网有效期：挂网结果 × 版本一行，自生效起至下一版本止。
-- Questions: which version of a listing (price, status, convrat, scope) stood when an order was sent?
-- The first version (version_no 1) also stands for orders sent before it.
SELECT
    listing.pubonln_rslt_id AS pubonln_rslt_id,
    listing.prod_type AS prod_type,
    listing.pric_eff_time AS valid_from,
    LEAD(listing.pric_eff_time) OVER (
        PARTITION BY listing.pubonln_rslt_id
        ORDER BY listing.pric_eff_time, listing.prod_type, listing.pubonln_rslt_id
    ) AS valid_to,
    ROW_NUMBER() OVER (
        PARTITION BY listing.pubonln_rslt_id
        ORDER BY listing.pric_eff_time, listing.prod_type, listing.pubonln_rslt_id
    ) AS version_no,
    listing.convrat AS convrat,
    listing.pubonln_pric AS pubonln_pric,
    listing.pubonln_stas AS pubonln_stas,
    listing.drug_type AS drug_type,
    listing.sep_chrg_flag AS sep_chrg_flag,
    listing.county AS county,
    listing.month AS month
FROM gold.fact_listing_price AS listing
