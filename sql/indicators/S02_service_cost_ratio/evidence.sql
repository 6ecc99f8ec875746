-- Evidence of service price against cost: the usage rows behind the averages (num = amount, den = count of the row: averages are no sums).
SELECT
    'main' AS measure,
    service.month AS month,
    service.county AS county,
    'subject' AS level,
    service.fixmedins_code AS subject_code,
    service.serv_code AS product_code,
    '' AS batch_code,
    '' AS group_code,
    service.source_table AS source_table,
    service.row_key AS row_key,
    CAST(service.used_amt AS DECIMAL(38, 10)) AS num,
    CAST(service.cnt AS DECIMAL(38, 10)) AS den,
    CAST(NULL AS DECIMAL(38, 2)) AS amount
FROM ask.used AS service
WHERE service.back = 0
  AND service.list_type = '201'
  AND service.org_type = '1'
