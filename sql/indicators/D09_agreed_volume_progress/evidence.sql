-- Evidence of agreed-volume progress: the agreement lines (den) and the receipts and returns (num) of `main`;
-- for `lagging_groups` the first agreement line of each group behind the clock.
WITH movement AS (
    SELECT
        event.medins_code AS medins_code,
        prod.btch_code AS btch_code,
        prod.grp_code AS grp_code,
        event.event_month AS event_month,
        SUM(event.min_cnt) AS min_cnt
    FROM (
        SELECT
            receipt.medins_code AS medins_code,
            receipt.prod_code AS prod_code,
            receipt.shpp_time AS event_time,
            receipt.month AS event_month,
            receipt.shpp_cnt * receipt.convrat AS min_cnt
        FROM gold.fact_receipt AS receipt
        WHERE receipt.prod_type = $prod_type
          AND receipt.org_type = '1'
        UNION ALL
        SELECT
            back.medins_code AS medins_code,
            back.prod_code AS prod_code,
            back.medins_retn_time AS event_time,
            back.month AS event_month,
            -(back.retn_cnt * back.convrat) AS min_cnt
        FROM gold.fact_return AS back
        WHERE back.prod_type = $prod_type
          AND back.org_type = '1'
    ) AS event
    INNER JOIN gold.fact_vbp_product AS prod
        ON prod.prod_code = event.prod_code
        AND prod.prod_type = $prod_type
        AND prod.prod_role IN ('1', '2')
        AND prod.agrt_begn_date <= CAST(event.event_time AS DATE)
        AND prod.agrt_end_date >= CAST(event.event_time AS DATE)
    LEFT JOIN ask.month AS own
        ON own.month = event.event_month
    WHERE own.month IS NULL
       OR event.event_time < own.as_of
    GROUP BY
        event.medins_code,
        prod.btch_code,
        prod.grp_code,
        event.event_month
),

agreed AS (
    SELECT
        line.county AS county,
        line.medins_code AS medins_code,
        line.btch_code AS btch_code,
        line.grp_code AS grp_code,
        line.agrt_begn_date AS begn,
        line.agrt_end_date AS fin,
        MIN(line.prod_code) AS first_prod_code,
        SUM(line.agrm_cnt) AS agrm_cnt,
        SUM(mul2(line.agrm_cnt, COALESCE(line.award_unit_pric, 0))) AS agrm_amt
    FROM gold.fact_agreement AS line
    WHERE line.prod_type = $prod_type
      AND line.org_type = '1'
    GROUP BY
        line.county,
        line.medins_code,
        line.btch_code,
        line.grp_code,
        line.agrt_begn_date,
        line.agrt_end_date
),

asked AS (
    SELECT
        m.month AS month,
        agreed.county AS county,
        agreed.medins_code AS medins_code,
        agreed.btch_code AS btch_code,
        agreed.grp_code AS grp_code,
        agreed.first_prod_code AS first_prod_code,
        agreed.agrm_cnt AS agrm_cnt,
        agreed.agrm_amt AS agrm_amt,
        CAST(agreed.fin AS INTEGER) - CAST(agreed.begn AS INTEGER) + 1 AS all_days,
        LEAST(CAST(m.as_of_date AS INTEGER), CAST(agreed.fin AS INTEGER)) - CAST(agreed.begn AS INTEGER) + 1 AS run_days,
        CASE WHEN m.as_of >= CAST(agreed.fin + INTERVAL '1 day' AS TIMESTAMP) THEN 1 ELSE 0 END AS ended,
        (CAST(date_part('year', m.as_of_date + INTERVAL '1 day') AS INTEGER) - CAST(date_part('year', agreed.begn) AS INTEGER)) * 12
            + CAST(date_part('month', m.as_of_date + INTERVAL '1 day') AS INTEGER) - CAST(date_part('month', agreed.begn) AS INTEGER)
            - CASE
                WHEN date_part('day', m.as_of_date + INTERVAL '1 day') >= date_part('day', agreed.begn)
                    OR date_part('day', m.as_of_date + INTERVAL '2 days') = 1
                    THEN 0
                ELSE 1
            END AS full_months
    FROM agreed
    INNER JOIN ask.month AS m
        ON m.month >= to_char(agreed.begn, '%Y-%m')
        AND m.month <= to_char(agreed.fin, '%Y-%m')
),

progress AS (
    SELECT
        asked.month AS month,
        asked.county AS county,
        asked.medins_code AS medins_code,
        asked.btch_code AS btch_code,
        asked.grp_code AS grp_code,
        asked.first_prod_code AS first_prod_code,
        CAST(MAX(asked.agrm_cnt) AS DECIMAL(38, 10)) AS agrm_cnt,
        CAST(MAX(asked.agrm_amt) AS DECIMAL(38, 2)) AS agrm_amt,
        CAST(MAX(asked.all_days) AS DECIMAL(9, 0)) AS all_days,
        CAST(MAX(asked.run_days) AS DECIMAL(9, 0)) AS run_days,
        MAX(asked.ended) AS ended,
        MAX(asked.full_months) AS full_months,
        CAST(COALESCE(SUM(movement.min_cnt), 0) AS DECIMAL(38, 10)) AS win_cnt
    FROM asked
    LEFT JOIN movement
        ON movement.medins_code = asked.medins_code
        AND movement.btch_code = asked.btch_code
        AND movement.grp_code = asked.grp_code
        AND movement.event_month <= asked.month
    GROUP BY
        asked.month,
        asked.county,
        asked.medins_code,
        asked.btch_code,
        asked.grp_code,
        asked.first_prod_code
),

judged AS (
    SELECT
        progress.month AS month,
        progress.county AS county,
        progress.medins_code AS medins_code,
        progress.btch_code AS btch_code,
        progress.grp_code AS grp_code,
        progress.first_prod_code AS first_prod_code,
        progress.agrm_cnt AS agrm_cnt,
        progress.agrm_amt AS agrm_amt,
        progress.all_days AS all_days,
        progress.run_days AS run_days,
        progress.ended AS ended,
        progress.full_months AS full_months,
        progress.win_cnt AS win_cnt,
        mul2(progress.win_cnt, COALESCE(prod.award_unit_pric, 0)) AS win_amt,
        div6(progress.win_cnt, progress.agrm_cnt) AS completion,
        div6(
            progress.win_cnt * progress.all_days - progress.agrm_cnt * progress.run_days,
            progress.agrm_cnt * progress.all_days
        ) AS gap,
        div6(progress.win_cnt * progress.all_days, progress.agrm_cnt * progress.run_days) AS forecast
    FROM progress
    LEFT JOIN gold.fact_vbp_product AS prod
        ON prod.btch_code = progress.btch_code
        AND prod.grp_code = progress.grp_code
        AND prod.prod_code = progress.first_prod_code
)

SELECT
    'main' AS measure,
    m.month AS month,
    line.county AS county,
    'subject' AS level,
    line.medins_code AS subject_code,
    '' AS product_code,
    line.btch_code AS batch_code,
    line.grp_code AS group_code,
    'fact_agreement' AS source_table,
    concat_ws('|', line.btch_code, line.grp_code, line.medins_code, line.prod_code) AS row_key,
    CAST(0 AS DECIMAL(38, 10)) AS num,
    CAST(line.agrm_cnt AS DECIMAL(38, 10)) AS den,
    CAST(NULL AS DECIMAL(38, 2)) AS amount
FROM gold.fact_agreement AS line
INNER JOIN ask.month AS m
    ON m.month >= to_char(line.agrt_begn_date, '%Y-%m')
    AND m.month <= to_char(line.agrt_end_date, '%Y-%m')
WHERE line.prod_type = $prod_type
  AND line.org_type = '1'
UNION ALL
SELECT
    'main' AS measure,
    asked.month AS month,
    asked.county AS county,
    'subject' AS level,
    asked.medins_code AS subject_code,
    '' AS product_code,
    asked.btch_code AS batch_code,
    asked.grp_code AS group_code,
    event.source_table AS source_table,
    event.row_key AS row_key,
    CAST(event.min_cnt AS DECIMAL(38, 10)) AS num,
    CAST(0 AS DECIMAL(38, 10)) AS den,
    CAST(NULL AS DECIMAL(38, 2)) AS amount
FROM (
    SELECT
        'fact_receipt' AS source_table,
        receipt.shp_id AS row_key,
        receipt.medins_code AS medins_code,
        receipt.prod_code AS prod_code,
        receipt.shpp_time AS event_time,
        receipt.shpp_cnt * receipt.convrat AS min_cnt
    FROM gold.fact_receipt AS receipt
    WHERE receipt.prod_type = $prod_type
      AND receipt.org_type = '1'
    UNION ALL
    SELECT
        'fact_return' AS source_table,
        back.retn_id AS row_key,
        back.medins_code AS medins_code,
        back.prod_code AS prod_code,
        back.medins_retn_time AS event_time,
        -(back.retn_cnt * back.convrat) AS min_cnt
    FROM gold.fact_return AS back
    WHERE back.prod_type = $prod_type
      AND back.org_type = '1'
) AS event
INNER JOIN gold.fact_vbp_product AS prod
    ON prod.prod_code = event.prod_code
    AND prod.prod_type = $prod_type
    AND prod.prod_role IN ('1', '2')
    AND prod.agrt_begn_date <= CAST(event.event_time AS DATE)
    AND prod.agrt_end_date >= CAST(event.event_time AS DATE)
INNER JOIN asked
    ON asked.medins_code = event.medins_code
    AND asked.btch_code = prod.btch_code
    AND asked.grp_code = prod.grp_code
INNER JOIN ask.month AS m
    ON m.month = asked.month
WHERE event.event_time < m.as_of
UNION ALL
SELECT
    'lagging_groups' AS measure,
    judged.month AS month,
    judged.county AS county,
    'subject' AS level,
    judged.medins_code AS subject_code,
    '' AS product_code,
    judged.btch_code AS batch_code,
    '' AS group_code,
    'fact_agreement' AS source_table,
    concat_ws('|', judged.btch_code, judged.grp_code, judged.medins_code, judged.first_prod_code) AS row_key,
    CAST(1 AS DECIMAL(38, 10)) AS num,
    CAST(NULL AS DECIMAL(38, 10)) AS den,
    CAST(NULL AS DECIMAL(38, 2)) AS amount
FROM judged
WHERE judged.gap < 0
