-- Insured against own-pay price: average charge of insured lines ÷ that of own-pay lines, where both have a count above zero.
WITH total AS (
    SELECT
        service.month AS month,
        service.county AS county,
        service.fixmedins_code AS fixmedins_code,
        service.serv_code AS serv_code,
        CAST(SUM(CASE WHEN service.hi_feesetl_type = '1' THEN service.cnt ELSE 0 END) AS DECIMAL(38, 4)) AS insured_cnt,
        CAST(SUM(CASE WHEN service.hi_feesetl_type = '1' THEN service.used_amt ELSE 0 END) AS DECIMAL(38, 2)) AS insured_amt,
        CAST(SUM(CASE WHEN service.hi_feesetl_type = '2' THEN service.cnt ELSE 0 END) AS DECIMAL(38, 4)) AS own_cnt,
        CAST(SUM(CASE WHEN service.hi_feesetl_type = '2' THEN service.used_amt ELSE 0 END) AS DECIMAL(38, 2)) AS own_amt,
        COUNT(*) AS sample_n
    FROM ask.used AS service
    WHERE service.back = 0
      AND service.list_type = '201'
      AND service.org_type = '1'
    GROUP BY
        service.month,
        service.county,
        service.fixmedins_code,
        service.serv_code
)

SELECT
    'main' AS measure,
    total.month AS month,
    total.county AS county,
    'subject' AS level,
    total.fixmedins_code AS subject_code,
    total.serv_code AS product_code,
    '' AS batch_code,
    '' AS group_code,
    div6(total.insured_amt, total.insured_cnt) AS numerator,
    div6(total.own_amt, total.own_cnt) AS denominator,
    CAST(NULL AS DECIMAL(38, 6)) AS value,
    CAST(NULL AS DECIMAL(38, 2)) AS amount_at_risk,
    '' AS mark,
    total.sample_n AS sample_n,
    LEAST(total.insured_cnt, total.own_cnt) AS in_least_cnt
FROM total
WHERE total.insured_cnt > 0
  AND total.own_cnt > 0
