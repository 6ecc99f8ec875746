-- Winner supply failure: of the institutions with an order line of the cohort (seven days old in the month, sent since the agreement began) for a winner
-- of a batch active at T, those with nothing received on any of these lines; by product, batch and county. An institution counts on its first line.
-- appeal_reply: appeals of drug batches made in the month that were answered within two workdays by T, by product and batch.
WITH winner AS (
    SELECT DISTINCT
        prod.btch_code AS btch_code,
        prod.prod_code AS prod_code,
        prod.agrt_begn_date AS agrt_begn_date,
        prod.agrt_end_date AS agrt_end_date
    FROM gold.fact_vbp_product AS prod
    WHERE prod.prod_role = '1'
      AND prod.prod_type = $prod_type
),

line AS (
    SELECT
        cohort.month AS month,
        cohort.county AS county,
        cohort.prod_code AS prod_code,
        winner.btch_code AS btch_code,
        cohort.medins_code AS medins_code,
        cohort.ord_detl_id AS ord_detl_id,
        ROW_NUMBER() OVER (
            PARTITION BY cohort.month, cohort.prod_code, winner.btch_code, cohort.medins_code
            ORDER BY cohort.ord_detl_id
        ) AS line_no,
        SUM(COALESCE(cohort.received_cnt, 0)) OVER (
            PARTITION BY cohort.month, cohort.prod_code, winner.btch_code, cohort.medins_code
        ) AS received_cnt
    FROM ask.cohort AS cohort
    INNER JOIN ask.month AS m
        ON m.month = cohort.month
    INNER JOIN winner
        ON winner.prod_code = cohort.prod_code
        AND winner.agrt_begn_date <= m.as_of_date
        AND winner.agrt_end_date >= m.as_of_date
        AND winner.agrt_begn_date <= CAST(cohort.send_time AS DATE)
    WHERE cohort.prod_type = $prod_type
      AND cohort.org_type = '1'
      AND cohort.excluded_reason IS NULL
),

appeal AS (
    SELECT
        m.month AS month,
        appeal.appeal_id AS appeal_id,
        appeal.prod_code AS prod_code,
        appeal.btch_code AS btch_code,
        CAST(appeal.crte_time AS DATE) AS crte_date,
        CASE WHEN appeal.reply_time < m.as_of THEN CAST(appeal.reply_time AS DATE) END AS reply_date
    FROM gold.fact_appeal AS appeal
    INNER JOIN ask.month AS m
        ON m.month = appeal.month
    WHERE appeal.prod_type = $prod_type
      AND appeal.crte_time < m.as_of
),

shift AS (
    SELECT
        appeal.appeal_id AS appeal_id,
        SUM(day.workday_shift) AS workday_shift
    FROM appeal
    INNER JOIN gold.dim_date AS day
        ON day.cal_date > appeal.crte_date
        AND day.cal_date <= appeal.reply_date
    GROUP BY appeal.appeal_id
)

SELECT
    'main' AS measure,
    line.month AS month,
    line.county AS county,
    line.prod_code AS subject_code,
    line.prod_code AS product_code,
    line.btch_code AS batch_code,
    CAST(CASE WHEN line.line_no = 1 AND line.received_cnt = 0 THEN 1 ELSE 0 END AS DECIMAL(38, 6)) AS num,
    CAST(CASE WHEN line.line_no = 1 THEN 1 ELSE 0 END AS DECIMAL(38, 6)) AS den,
    'fact_order' AS source_table,
    line.ord_detl_id AS row_key
FROM line
UNION ALL
SELECT
    'appeal_reply' AS measure,
    appeal.month AS month,
    $region AS county,
    appeal.prod_code AS subject_code,
    appeal.prod_code AS product_code,
    appeal.btch_code AS batch_code,
    CAST(
        CASE
            WHEN appeal.reply_date IS NULL THEN 0
            WHEN CAST(5 * CAST((CAST(appeal.reply_date AS INTEGER) + 3) / 7 AS INTEGER) + LEAST((CAST(appeal.reply_date AS INTEGER) + 3) % 7 + 1, 5) AS BIGINT)
                - CAST(5 * CAST((CAST(appeal.crte_date AS INTEGER) + 3) / 7 AS INTEGER) + LEAST((CAST(appeal.crte_date AS INTEGER) + 3) % 7 + 1, 5) AS BIGINT)
                + COALESCE(shift.workday_shift, 0) <= 2
                THEN 1
            ELSE 0
        END AS DECIMAL(38, 6)
    ) AS num,
    CAST(1 AS DECIMAL(38, 6)) AS den,
    'fact_appeal' AS source_table,
    appeal.appeal_id AS row_key
FROM appeal
LEFT JOIN shift
    ON shift.appeal_id = appeal.appeal_id
