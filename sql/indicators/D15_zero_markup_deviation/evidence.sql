-- Evidence of zero-markup deviation: the usage of the month and the receipts at the highest unit price of the 90 days.
-- num and den are those of the row (charged amount and minimum units; received minimum units × price): prices are no sums.
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
)

SELECT
    'main' AS measure,
    known.month AS month,
    known.county AS county,
    'subject' AS level,
    known.medins_code AS subject_code,
    known.prod_code AS product_code,
    '' AS batch_code,
    '' AS group_code,
    known.source_table AS source_table,
    known.row_key AS row_key,
    CAST(known.used_amt AS DECIMAL(38, 10)) AS num,
    known.min_cnt AS den,
    CAST(NULL AS DECIMAL(38, 2)) AS amount
FROM known
UNION ALL
SELECT
    'main' AS measure,
    cost.month AS month,
    receipt.county AS county,
    'subject' AS level,
    receipt.medins_code AS subject_code,
    receipt.prod_code AS product_code,
    '' AS batch_code,
    '' AS group_code,
    'fact_receipt' AS source_table,
    receipt.shp_id AS row_key,
    CAST(receipt.receipt_amt AS DECIMAL(38, 10)) AS num,
    CAST(receipt.shpp_cnt * receipt.convrat AS DECIMAL(38, 10)) AS den,
    CAST(NULL AS DECIMAL(38, 2)) AS amount
FROM gold.fact_receipt AS receipt
INNER JOIN cost
    ON cost.medins_code = receipt.medins_code
    AND cost.prod_code = receipt.prod_code
    AND cost.unit_pric = receipt.unit_pric
INNER JOIN ask.month AS m
    ON m.month = cost.month
WHERE receipt.prod_type = $prod_type
  AND receipt.shpp_time < m.as_of
  AND receipt.shpp_time >= m.as_of - INTERVAL '90 days'
