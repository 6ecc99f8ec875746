-- Non-winning share: net received minimum units of same-group non-winners (role 3) ÷ winners, reserves and non-winners (roles 1, 2, 3),
-- by institution, batch and group of the batches active at T, over three months and not before the agreement began.
-- A non-winner bought at or below the group's lowest award unit price is left out, with its returns.
-- `no_report`: the amount of role-3 purchases of an institution without an agreement line of the group.
WITH grouped AS (
    SELECT
        m.month AS month,
        moved.county AS county,
        moved.medins_code AS subject_code,
        moved.btch_code AS batch_code,
        moved.grp_code AS group_code,
        moved.prod_role AS prod_role,
        moved.min_cnt AS min_cnt,
        moved.event_amt AS event_amt,
        moved.source_table AS source_table,
        moved.row_key AS row_key,
        moved.excluded_reason AS excluded_reason
    FROM ask.batch_moved AS moved
    INNER JOIN ask.span AS span
        ON span.window_month = moved.event_month
        AND span.back <= 2
    INNER JOIN ask.month AS m
        ON m.month = span.month
    WHERE moved.prod_type = $prod_type
      AND moved.org_type = '1'
      AND moved.prod_role IN ('1', '2', '3')
      AND moved.agrt_end_date >= m.as_of_date
      AND moved.event_time < m.as_of
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
