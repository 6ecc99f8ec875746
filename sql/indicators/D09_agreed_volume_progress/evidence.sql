-- Evidence of agreed-volume progress: the agreement lines (den) and the receipts and returns (num) of `main`;
-- for `lagging_groups` the first agreement line of each group behind the clock.
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
    m.month AS month,
    moved.county AS county,
    'subject' AS level,
    moved.medins_code AS subject_code,
    '' AS product_code,
    moved.btch_code AS batch_code,
    moved.grp_code AS group_code,
    moved.source_table AS source_table,
    moved.row_key AS row_key,
    moved.min_cnt AS num,
    CAST(0 AS DECIMAL(38, 10)) AS den,
    CAST(NULL AS DECIMAL(38, 2)) AS amount
FROM ask.batch_moved AS moved
INNER JOIN ask.month AS m
    ON moved.event_time < m.as_of
    AND m.month <= to_char(moved.agrt_end_date, '%Y-%m')
WHERE moved.prod_type = $prod_type
  AND moved.org_type = '1'
  AND moved.prod_role IN ('1', '2')
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
FROM ask.basis AS judged
WHERE judged.gap < 0
