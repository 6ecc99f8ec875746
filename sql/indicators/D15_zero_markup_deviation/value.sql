-- Zero-markup deviation of public institutions, by known in-scope product: charged unit price (used amount ÷ used minimum units of the month)
-- ÷ the highest unit price the institution received in the 90 days before T, − 1; amount at risk = max(0, used amount − cost × used quantity).
WITH state AS (
    SELECT
        ranked.month AS month,
        ranked.prod_code AS prod_code,
        ranked.scope_flag AS scope_flag
    FROM (
        SELECT
            m.month AS month,
            state.prod_code AS prod_code,
            state.scope_flag AS scope_flag,
            ROW_NUMBER() OVER (
                PARTITION BY m.month, state.prod_code
                ORDER BY state.state_time DESC, state.prod_code
            ) AS state_no
        FROM gold.fact_product_state AS state
        INNER JOIN ask.month AS m
            ON state.state_time < m.as_of
        WHERE state.prod_type = $prod_type
    ) AS ranked
    WHERE ranked.state_no = 1
),

used AS (
    SELECT
        m.month AS month,
        usage.county AS county,
        usage.fixmedins_code AS fixmedins_code,
        usage.med_list_codg AS med_list_codg,
        usage.used_cnt AS cnt,
        CAST(usage.used_cnt * usage.convrat AS DECIMAL(38, 10)) AS min_cnt,
        usage.used_amt AS used_amt,
        'fact_usage' AS source_table,
        concat_ws(
            '|',
            usage.fixmedins_code,
            usage.list_type,
            usage.med_list_codg,
            usage.medins_list_codg,
            usage.hi_feesetl_type,
            usage.month
        ) AS row_key
    FROM gold.fact_usage AS usage
    INNER JOIN ask.month AS m
        ON m.month = usage.month
    WHERE m.as_of = m.month_end
      AND usage.list_type = $list_type
      AND usage.org_type = '1'
      AND usage.publ_flag = '1'
    UNION ALL
    SELECT
        m.month AS month,
        fee.county AS county,
        fee.fixmedins_code AS fixmedins_code,
        fee.med_list_codg AS med_list_codg,
        fee.cnt AS cnt,
        CAST(fee.cnt * fee.convrat AS DECIMAL(38, 10)) AS min_cnt,
        fee.det_item_fee_sumamt AS used_amt,
        'fact_fee_line' AS source_table,
        fee.bkkp_sn AS row_key
    FROM gold.fact_fee_line AS fee
    INNER JOIN ask.month AS m
        ON m.month = fee.month
    WHERE m.as_of < m.month_end
      AND fee.fee_ocur_time < m.as_of
      AND fee.list_type = $list_type
      AND fee.org_type = '1'
      AND fee.publ_flag = '1'
),

known AS (
    SELECT
        used.month AS month,
        used.county AS county,
        used.fixmedins_code AS medins_code,
        used.med_list_codg AS prod_code,
        used.min_cnt AS min_cnt,
        used.used_amt AS used_amt,
        used.source_table AS source_table,
        used.row_key AS row_key
    FROM used
    INNER JOIN state
        ON state.month = used.month
        AND state.prod_code = used.med_list_codg
        AND state.scope_flag = '1'
),

cost AS (
    SELECT
        m.month AS month,
        receipt.medins_code AS medins_code,
        receipt.prod_code AS prod_code,
        MAX(receipt.unit_pric) AS unit_pric
    FROM gold.fact_receipt AS receipt
    INNER JOIN ask.month AS m
        ON receipt.shpp_time < m.as_of
        AND receipt.shpp_time >= m.as_of - INTERVAL '90 days'
    WHERE receipt.prod_type = $prod_type
    GROUP BY
        m.month,
        receipt.medins_code,
        receipt.prod_code
),

used_sum AS (
    SELECT
        known.month AS month,
        known.county AS county,
        known.medins_code AS medins_code,
        known.prod_code AS prod_code,
        CAST(SUM(known.min_cnt) AS DECIMAL(38, 10)) AS used_cnt,
        CAST(SUM(known.used_amt) AS DECIMAL(38, 2)) AS used_amt,
        COUNT(*) AS sample_n
    FROM known
    GROUP BY
        known.month,
        known.county,
        known.medins_code,
        known.prod_code
)

SELECT
    'main' AS measure,
    used_sum.month AS month,
    used_sum.county AS county,
    'subject' AS level,
    used_sum.medins_code AS subject_code,
    used_sum.prod_code AS product_code,
    '' AS batch_code,
    '' AS group_code,
    div6(used_sum.used_amt, used_sum.used_cnt) AS numerator,
    CAST(cost.unit_pric AS DECIMAL(38, 6)) AS denominator,
    CAST(NULL AS DECIMAL(38, 6)) AS value,
    CASE
        WHEN cost.unit_pric IS NOT NULL
            THEN CAST(
                GREATEST(
                    round2(used_sum.used_amt - CAST(cost.unit_pric * used_sum.used_cnt AS DECIMAL(38, 12))),
                    CAST(0 AS DECIMAL(38, 2))
                ) AS DECIMAL(38, 2)
            )
    END AS amount_at_risk,
    '' AS mark,
    used_sum.sample_n AS sample_n
FROM used_sum
LEFT JOIN cost
    ON cost.month = used_sum.month
    AND cost.medins_code = used_sum.medins_code
    AND cost.prod_code = used_sum.prod_code
WHERE used_sum.used_cnt > 0
