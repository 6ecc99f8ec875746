-- Key-product profile: ordered (sent in the month, not cancelled at T), net received and used, in minimum units and in yuan, by institution and
-- key product. Key at T: known and in scope, with a role in an active batch, or negotiated or short (drugs), or of high value (consumables).
-- An institution and product with activity in any of the six has all six rows: the zero rows come from its key product.
WITH batch AS (
    SELECT DISTINCT
        m.month AS month,
        prod.prod_code AS prod_code
    FROM gold.fact_vbp_product AS prod
    INNER JOIN ask.month AS m
        ON prod.agrt_begn_date <= m.as_of_date
        AND prod.agrt_end_date >= m.as_of_date
),

key_product AS (
    SELECT
        state.month AS month,
        state.prod_code AS prod_code
    FROM ask.product_state AS state
    LEFT JOIN batch
        ON batch.month = state.month
        AND batch.prod_code = state.prod_code
    WHERE state.prod_type = $prod_type
      AND state.scope_flag = '1'
      AND (
          batch.prod_code IS NOT NULL
          OR ($prod_type = '1' AND (state.nego_flag = '1' OR state.shortage_flag = '1'))
          OR ($prod_type = '2' AND state.hval_flag = '1')
      )
),

event AS (
    SELECT
        line.month AS month,
        line.county AS county,
        line.medins_code AS medins_code,
        line.prod_code AS prod_code,
        'ordered' AS step,
        CAST(line.purc_cnt * line.convrat AS DECIMAL(38, 10)) AS min_cnt,
        line.purc_amt AS event_amt,
        'fact_order' AS source_table,
        line.ord_detl_id AS row_key
    FROM ask.ordered AS line
    WHERE line.prod_type = $prod_type
      AND line.org_type = '1'
      AND line.excluded_reason IS NULL
    UNION ALL
    SELECT
        m.month AS month,
        moved.county AS county,
        moved.medins_code AS medins_code,
        moved.prod_code AS prod_code,
        'received' AS step,
        moved.min_cnt AS min_cnt,
        moved.event_amt AS event_amt,
        moved.source_table AS source_table,
        moved.row_key AS row_key
    FROM ask.moved AS moved
    INNER JOIN ask.month AS m
        ON m.month = moved.event_month
    WHERE moved.prod_type = $prod_type
      AND moved.org_type = '1'
      AND moved.event_time < m.as_of
    UNION ALL
    SELECT
        used.month AS month,
        used.county AS county,
        used.fixmedins_code AS medins_code,
        used.med_list_codg AS prod_code,
        'used' AS step,
        used.min_cnt AS min_cnt,
        used.used_amt AS event_amt,
        used.source_table AS source_table,
        used.row_key AS row_key
    FROM ask.used AS used
    WHERE used.back = 0
      AND used.list_type = $list_type
      AND used.org_type = '1'
),

key_event AS (
    SELECT
        event.month AS month,
        event.county AS county,
        event.medins_code AS medins_code,
        event.prod_code AS prod_code,
        event.step AS step,
        event.min_cnt AS min_cnt,
        event.event_amt AS event_amt,
        event.source_table AS source_table,
        event.row_key AS row_key
    FROM event
    INNER JOIN key_product
        ON key_product.month = event.month
        AND key_product.prod_code = event.prod_code
)

SELECT
    concat(key_event.step, '_cnt') AS measure,
    key_event.month AS month,
    key_event.county AS county,
    key_event.medins_code AS subject_code,
    key_event.prod_code AS product_code,
    key_event.min_cnt AS num,
    CAST(NULL AS DECIMAL(38, 10)) AS den,
    key_event.source_table AS source_table,
    key_event.row_key AS row_key
FROM key_event
UNION ALL
SELECT
    concat(key_event.step, '_amt') AS measure,
    key_event.month AS month,
    key_event.county AS county,
    key_event.medins_code AS subject_code,
    key_event.prod_code AS product_code,
    CAST(key_event.event_amt AS DECIMAL(38, 10)) AS num,
    CAST(NULL AS DECIMAL(38, 10)) AS den,
    key_event.source_table AS source_table,
    key_event.row_key AS row_key
FROM key_event
UNION ALL
SELECT
    six.measure AS measure,
    active.month AS month,
    active.county AS county,
    active.medins_code AS subject_code,
    active.prod_code AS product_code,
    CAST(0 AS DECIMAL(38, 10)) AS num,
    CAST(NULL AS DECIMAL(38, 10)) AS den,
    'dim_product' AS source_table,
    concat_ws('|', $prod_type, active.prod_code) AS row_key
FROM (
    SELECT DISTINCT
        key_event.month AS month,
        key_event.county AS county,
        key_event.medins_code AS medins_code,
        key_event.prod_code AS prod_code
    FROM key_event
) AS active
CROSS JOIN (
    SELECT 'ordered_cnt' AS measure
    UNION ALL
    SELECT 'ordered_amt' AS measure
    UNION ALL
    SELECT 'received_cnt' AS measure
    UNION ALL
    SELECT 'received_amt' AS measure
    UNION ALL
    SELECT 'used_cnt' AS measure
    UNION ALL
    SELECT 'used_amt' AS measure
) AS six
