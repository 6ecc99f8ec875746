-- fact_product_state 产品状态：产品的任一挂网结果换版后，产品的挂网价、属性各一行。
-- Questions: what was the listing price of a product code at a time (the lowest unit price among its active listings; ties: the lowest
-- listing id), and which listing gives its attributes (that one, else the latest version; ties: the highest listing id)?
-- The state at T is the row with the greatest state_time < T; a product without such a row is not known at T.
WITH held AS (
    SELECT DISTINCT
        holder.prod_type AS prod_type,
        holder.prod_code AS prod_code,
        holder.pubonln_rslt_id AS pubonln_rslt_id
    FROM gold.fact_listing_price AS holder
),

change AS (
    SELECT DISTINCT
        held.prod_type AS prod_type,
        held.prod_code AS prod_code,
        listing.pric_eff_time AS state_time
    FROM held
    INNER JOIN gold.fact_listing_price AS listing
        ON listing.prod_type = held.prod_type
        AND listing.pubonln_rslt_id = held.pubonln_rslt_id
),

version AS (
    SELECT
        change.prod_type AS prod_type,
        change.prod_code AS prod_code,
        change.state_time AS state_time,
        listing.pubonln_rslt_id AS pubonln_rslt_id,
        listing.pric_eff_time AS pric_eff_time,
        listing.prod_code AS listing_prod_code,
        listing.pubonln_stas AS pubonln_stas,
        listing.unit_pric AS unit_pric,
        ROW_NUMBER() OVER (
            PARTITION BY change.prod_type, change.prod_code, change.state_time, listing.pubonln_rslt_id
            ORDER BY listing.pric_eff_time DESC, listing.prod_type, listing.pubonln_rslt_id
        ) AS version_no
    FROM change
    INNER JOIN held
        ON held.prod_type = change.prod_type
        AND held.prod_code = change.prod_code
    INNER JOIN gold.fact_listing_price AS listing
        ON listing.prod_type = held.prod_type
        AND listing.pubonln_rslt_id = held.pubonln_rslt_id
        AND listing.pric_eff_time <= change.state_time
),

candidate AS (
    SELECT
        version.prod_type AS prod_type,
        version.prod_code AS prod_code,
        version.state_time AS state_time,
        version.pubonln_rslt_id AS pubonln_rslt_id,
        version.pric_eff_time AS pric_eff_time,
        version.unit_pric AS unit_pric,
        CASE WHEN version.version_no = 1 AND version.pubonln_stas = '1' THEN '1' ELSE '0' END AS listed_flag
    FROM version
    WHERE version.listing_prod_code = version.prod_code
),

ranked AS (
    SELECT
        candidate.prod_type AS prod_type,
        candidate.prod_code AS prod_code,
        candidate.state_time AS state_time,
        candidate.pubonln_rslt_id AS pubonln_rslt_id,
        candidate.pric_eff_time AS pric_eff_time,
        candidate.listed_flag AS listed_flag,
        ROW_NUMBER() OVER (
            PARTITION BY candidate.prod_type, candidate.prod_code, candidate.state_time
            ORDER BY
                candidate.listed_flag DESC,
                CASE WHEN candidate.listed_flag = '1' THEN candidate.unit_pric END,
                CASE WHEN candidate.listed_flag = '1' THEN candidate.pubonln_rslt_id END,
                candidate.pric_eff_time DESC,
                candidate.pubonln_rslt_id DESC,
                candidate.state_time
        ) AS choice_no
    FROM candidate
)

SELECT
    ranked.prod_type AS prod_type,
    ranked.prod_code AS prod_code,
    ranked.state_time AS state_time,
    ranked.listed_flag AS listed_flag,
    CASE WHEN ranked.listed_flag = '1' THEN listing.unit_pric END AS unit_pric,
    CASE WHEN ranked.listed_flag = '1' THEN listing.pubonln_pric END AS pubonln_pric,
    ranked.pubonln_rslt_id AS pubonln_rslt_id,
    ranked.pric_eff_time AS pric_eff_time,
    listing.convrat AS convrat,
    listing.prod_name AS prod_name,
    listing.genname AS genname,
    listing.dosform AS dosform,
    listing.prod_spec AS prod_spec,
    listing.unt AS unt,
    listing.prodentp_code AS prodentp_code,
    listing.prodentp_name AS prodentp_name,
    listing.drug_type AS drug_type,
    listing.bas_medn_flag AS bas_medn_flag,
    listing.conseval_flag AS conseval_flag,
    listing.nego_flag AS nego_flag,
    listing.shortage_flag AS shortage_flag,
    listing.injection_flag AS injection_flag,
    listing.hval_flag AS hval_flag,
    listing.sep_chrg_flag AS sep_chrg_flag,
    listing.scope_flag AS scope_flag,
    listing.county AS county,
    to_char(ranked.state_time, '%Y-%m') AS month
FROM ranked
INNER JOIN gold.fact_listing_price AS listing
    ON listing.prod_type = ranked.prod_type
    AND listing.pubonln_rslt_id = ranked.pubonln_rslt_id
    AND listing.pric_eff_time = ranked.pric_eff_time
WHERE ranked.choice_no = 1
