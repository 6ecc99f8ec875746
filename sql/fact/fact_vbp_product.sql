-- fact_vbp_product 集采品种：批次 × 分组 × 产品一行，带批次的协议期与分组的中选价界。
-- Questions: which role has a product in which batch and group, what is a minimum unit worth at the award price, and what are
-- the lowest and the highest award unit prices of the group?
SELECT
    prod.btch_code AS btch_code,
    prod.grp_code AS grp_code,
    prod.prod_code AS prod_code,
    prod.grp_name AS grp_name,
    prod.prod_role AS prod_role,
    batch.prod_type AS prod_type,
    batch.agrt_begn_date AS agrt_begn_date,
    batch.agrt_end_date AS agrt_end_date,
    CASE WHEN prod.prod_role IN ('1', '2') THEN prod.award_pric END AS award_pric,
    CASE WHEN prod.prod_role IN ('1', '2') THEN prod.award_convrat END AS award_convrat,
    CASE
        WHEN prod.prod_role IN ('1', '2') THEN CAST(div6(prod.award_pric, prod.award_convrat) AS DECIMAL(38, 6))
    END AS award_unit_pric,
    MIN(
        CASE
            WHEN prod.prod_role IN ('1', '2') THEN CAST(div6(prod.award_pric, prod.award_convrat) AS DECIMAL(38, 6))
        END
    ) OVER (PARTITION BY prod.btch_code, prod.grp_code) AS grp_award_min,
    MAX(
        CASE
            WHEN prod.prod_role IN ('1', '2') THEN CAST(div6(prod.award_pric, prod.award_convrat) AS DECIMAL(38, 6))
        END
    ) OVER (PARTITION BY prod.btch_code, prod.grp_code) AS grp_award_max,
    prod.updt_time AS updt_time,
    prod.county AS county,
    prod.month AS month
FROM silver.vbp_prod AS prod
INNER JOIN silver.vbp_batch AS batch
    ON batch.btch_code = prod.btch_code
