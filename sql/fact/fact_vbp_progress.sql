-- fact_vbp_progress 集采执行进度：机构 × 批次 × 分组 × 月一行，协议期内当月净收货（最小单位、金额），分中选与备供、同组非中选、可替代。
-- Questions: how much of a group did an institution take in a month, from winners and from others, against what it had agreed?
-- A movement counts in the month of its own date; sum the months for the progress of the agreement.
WITH movement AS (
    SELECT
        receipt.medins_code AS medins_code,
        receipt.prod_type AS prod_type,
        receipt.prod_code AS prod_code,
        receipt.shpp_time AS event_time,
        receipt.min_cnt AS min_cnt,
        receipt.receipt_amt AS event_amt,
        receipt.county AS county,
        receipt.month AS month
    FROM gold.fact_receipt AS receipt
    UNION ALL
    SELECT
        back.medins_code AS medins_code,
        back.prod_type AS prod_type,
        back.prod_code AS prod_code,
        back.medins_retn_time AS event_time,
        -back.min_cnt AS min_cnt,
        -back.retn_amt AS event_amt,
        back.county AS county,
        back.month AS month
    FROM gold.fact_return AS back
),

agreed AS (
    SELECT
        agrm.btch_code AS btch_code,
        agrm.grp_code AS grp_code,
        agrm.medins_code AS medins_code,
        SUM(agrm.agrm_cnt) AS agreed_cnt
    FROM gold.fact_agreement AS agrm
    GROUP BY
        agrm.btch_code,
        agrm.grp_code,
        agrm.medins_code
)

SELECT
    prod.btch_code AS btch_code,
    prod.grp_code AS grp_code,
    movement.medins_code AS medins_code,
    MAX(prod.prod_type) AS prod_type,
    MAX(prod.grp_name) AS grp_name,
    CAST(MAX(agreed.agreed_cnt) AS DECIMAL(38, 6)) AS agreed_cnt,
    CAST(SUM(CASE WHEN prod.prod_role IN ('1', '2') THEN movement.min_cnt ELSE 0 END) AS DECIMAL(38, 6)) AS win_cnt,
    CAST(SUM(CASE WHEN prod.prod_role IN ('1', '2') THEN movement.event_amt ELSE 0 END) AS DECIMAL(38, 2)) AS win_amt,
    CAST(SUM(CASE WHEN prod.prod_role = '3' THEN movement.min_cnt ELSE 0 END) AS DECIMAL(38, 6)) AS nonwin_cnt,
    CAST(SUM(CASE WHEN prod.prod_role = '3' THEN movement.event_amt ELSE 0 END) AS DECIMAL(38, 2)) AS nonwin_amt,
    CAST(SUM(CASE WHEN prod.prod_role = '4' THEN movement.min_cnt ELSE 0 END) AS DECIMAL(38, 6)) AS subst_cnt,
    CAST(SUM(CASE WHEN prod.prod_role = '4' THEN movement.event_amt ELSE 0 END) AS DECIMAL(38, 2)) AS subst_amt,
    movement.county AS county,
    movement.month AS month
FROM movement
INNER JOIN gold.fact_vbp_product AS prod
    ON prod.prod_code = movement.prod_code
    AND prod.prod_type = movement.prod_type
    AND prod.agrt_begn_date <= CAST(movement.event_time AS DATE)
    AND prod.agrt_end_date >= CAST(movement.event_time AS DATE)
LEFT JOIN agreed
    ON agreed.btch_code = prod.btch_code
    AND agreed.grp_code = prod.grp_code
    AND agreed.medins_code = movement.medins_code
GROUP BY
    prod.btch_code,
    prod.grp_code,
    movement.medins_code,
    movement.county,
    movement.month
