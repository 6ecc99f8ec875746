-- Evidence of substitute growth: the receipts and returns of both spans.
SELECT
    'main' AS measure,
    event.month AS month,
    event.county AS county,
    'subject' AS level,
    event.medins_code AS subject_code,
    '' AS product_code,
    event.btch_code AS batch_code,
    event.grp_code AS group_code,
    event.source_table AS source_table,
    event.row_key AS row_key,
    event.num AS num,
    event.den AS den,
    event.amount AS amount
FROM ask.basis AS event
