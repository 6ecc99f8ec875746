-- Non-winning share: net received minimum units of same-group non-winners (role 3) ÷ winners, reserves and non-winners (roles 1, 2, 3),
-- by institution, batch and group of the batches active at T, over three months and not before the agreement began.
-- A non-winner bought at or below the group's lowest award unit price is left out, with its returns.
-- `no_report`: the amount of role-3 purchases of an institution without an agreement line of the group.
WITH event AS (
    SELECT
        'fact_receipt' AS source_table,
        receipt.shp_id AS row_key,
        receipt.county AS county,
        receipt.month AS event_month,
        receipt.medins_code AS medins_code,
        receipt.prod_code AS prod_code,
        receipt.shpp_time AS event_time,
        receipt.unit_pric AS unit_pric,
        receipt.shpp_cnt * receipt.convrat AS min_cnt,
        receipt.receipt_amt AS event_amt
    FROM gold.fact_receipt AS receipt
    WHERE receipt.org_type = '1'
      AND receipt.prod_type = $prod_type
    UNION ALL
    SELECT
        'fact_return' AS source_table,
        back.retn_id AS row_key,
        back.county AS county,
        back.month AS event_month,
        back.medins_code AS medins_code,
        back.prod_code AS prod_code,
        back.medins_retn_time AS event_time,
        back.unit_pric AS unit_pric,
        -(back.retn_cnt * back.convrat) AS min_cnt,
        -back.retn_amt AS event_amt
    FROM gold.fact_return AS back
    WHERE back.org_type = '1'
      AND back.prod_type = $prod_type
),

grouped AS (
    SELECT
        m.month AS month,
        event.county AS county,
        event.medins_code AS subject_code,
        prod.btch_code AS batch_code,
        prod.grp_code AS group_code,
        prod.prod_role AS prod_role,
        CAST(event.min_cnt AS DECIMAL(38, 10)) AS min_cnt,
        event.event_amt AS event_amt,
        event.source_table AS source_table,
        event.row_key AS row_key,
        CASE
            WHEN prod.prod_role = '3' AND event.unit_pric <= prod.grp_award_min THEN 'not dearer than the winner'
        END AS excluded_reason
    FROM event
    INNER JOIN gold.fact_vbp_product AS prod
        ON prod.prod_code = event.prod_code
        AND prod.prod_type = $prod_type
        AND prod.prod_role IN ('1', '2', '3')
        AND prod.agrt_begn_date <= CAST(event.event_time AS DATE)
    INNER JOIN ask.span AS span
        ON span.window_month = event.event_month
        AND span.back <= 2
    INNER JOIN ask.month AS m
        ON m.month = span.month
    WHERE prod.agrt_begn_date <= m.as_of_date
      AND prod.agrt_end_date >= m.as_of_date
      AND event.event_time < m.as_of
)

SELECT
    'main' AS measure,
    grouped.month AS month,
    grouped.county AS county,
    grouped.subject_code AS subject_code,
    grouped.batch_code AS batch_code,
    grouped.group_code AS group_code,
    CASE WHEN grouped.prod_role = '3' THEN grouped.min_cnt ELSE CAST(0 AS DECIMAL(38, 10)) END AS num,
    grouped.min_cnt AS den,
    grouped.source_table AS source_table,
    grouped.row_key AS row_key,
    grouped.excluded_reason AS excluded_reason
FROM grouped
UNION ALL
SELECT
    'no_report' AS measure,
    grouped.month AS month,
    grouped.county AS county,
    grouped.subject_code AS subject_code,
    grouped.batch_code AS batch_code,
    grouped.group_code AS group_code,
    CAST(grouped.event_amt AS DECIMAL(38, 10)) AS num,
    CAST(NULL AS DECIMAL(38, 10)) AS den,
    grouped.source_table AS source_table,
    grouped.row_key AS row_key,
    grouped.excluded_reason AS excluded_reason
FROM grouped
LEFT ANTI JOIN gold.fact_agreement AS agrm
    ON agrm.medins_code = grouped.subject_code
    AND agrm.btch_code = grouped.batch_code
    AND agrm.grp_code = grouped.group_code
WHERE grouped.prod_role = '3'
