-- Tripartite signing rate: agreement lines pushed before T and signed by all three before T ÷ lines pushed, by institution and batch,
-- up to the month in which the agreement ends. unsigned and days_past (date(T) − deadline, of unsigned lines) decide the state;
-- note names the first signer that is missing.
SELECT
    m.month AS month,
    line.county AS county,
    line.medins_code AS subject_code,
    line.btch_code AS batch_code,
    CAST(
        CASE
            WHEN line.medins_sign_time < m.as_of AND line.delventp_sign_time < m.as_of AND line.prodentp_sign_time < m.as_of THEN 1
            ELSE 0
        END AS DECIMAL(38, 6)
    ) AS num,
    CAST(1 AS DECIMAL(38, 6)) AS den,
    CASE
        WHEN line.medins_sign_time < m.as_of AND line.delventp_sign_time < m.as_of AND line.prodentp_sign_time < m.as_of THEN 0
        ELSE 1
    END AS max_unsigned,
    CASE
        WHEN line.medins_sign_time < m.as_of AND line.delventp_sign_time < m.as_of AND line.prodentp_sign_time < m.as_of THEN NULL
        ELSE CAST(m.as_of_date AS INTEGER) - CAST(line.sign_ddln AS INTEGER)
    END AS max_days_past,
    'fact_tri_agreement' AS source_table,
    line.agrm_id AS row_key,
    CASE
        WHEN line.medins_sign_time IS NULL OR line.medins_sign_time >= m.as_of THEN '首个未签方：医疗机构'
        WHEN line.delventp_sign_time IS NULL OR line.delventp_sign_time >= m.as_of THEN '首个未签方：配送企业'
        WHEN line.prodentp_sign_time IS NULL OR line.prodentp_sign_time >= m.as_of THEN '首个未签方：生产企业'
    END AS note
FROM gold.fact_tri_agreement AS line
INNER JOIN ask.month AS m
    ON line.push_time < m.as_of
    AND m.month <= to_char(line.agrt_end_date, '%Y-%m')
WHERE line.prod_type = $prod_type
  AND line.org_type = '1'
