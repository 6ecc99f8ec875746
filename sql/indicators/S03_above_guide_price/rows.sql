-- Above the guide price: charge lines with a limit (same service and level, latest effective day not after the line's) and a count not wholly reversed
-- by T: lines dearer than the limit ÷ lines; amount at risk = Σ round((price − limit) × count left, 2).
WITH limits AS (
    SELECT
        price.serv_code AS serv_code,
        price.medins_lv AS medins_lv,
        price.eff_date AS eff_date,
        LEAD(price.eff_date) OVER (
            PARTITION BY price.serv_code, price.medins_lv
            ORDER BY price.eff_date, price.serv_code
        ) AS next_date,
        price.pric_uplmt AS pric_uplmt
    FROM gold.fact_service_price AS price
),

line AS (
    SELECT
        m.month AS month,
        m.as_of AS as_of,
        fee.county AS county,
        fee.fixmedins_code AS fixmedins_code,
        limits.serv_code AS serv_code,
        fee.bkkp_sn AS bkkp_sn,
        fee.cnt AS cnt,
        fee.pric AS pric,
        limits.pric_uplmt AS pric_uplmt
    FROM gold.fact_fee_line AS fee
    INNER JOIN ask.month AS m
        ON m.month = fee.month
    INNER JOIN limits
        ON limits.serv_code = CASE WHEN fee.med_list_codg = '' THEN fee.medins_list_codg ELSE fee.med_list_codg END
        AND limits.medins_lv = fee.medins_lv
        AND limits.eff_date <= CAST(fee.fee_ocur_time AS DATE)
        AND (limits.next_date IS NULL OR limits.next_date > CAST(fee.fee_ocur_time AS DATE))
    WHERE fee.list_type = '201'
      AND fee.org_type = '1'
      AND fee.cnt > 0
      AND fee.fee_ocur_time < m.as_of
),

reversed AS (
    SELECT
        line.bkkp_sn AS bkkp_sn,
        SUM(fee.cnt) AS cnt
    FROM line
    INNER JOIN gold.fact_fee_reversal AS fee
        ON fee.init_feedetl_sn = line.bkkp_sn
    WHERE fee.fee_ocur_time < line.as_of
    GROUP BY line.bkkp_sn
)

SELECT
    line.month AS month,
    line.county AS county,
    line.fixmedins_code AS subject_code,
    line.serv_code AS product_code,
    CAST(CASE WHEN line.pric > line.pric_uplmt THEN 1 ELSE 0 END AS DECIMAL(38, 6)) AS num,
    CAST(1 AS DECIMAL(38, 6)) AS den,
    CAST(
        CASE
            WHEN line.pric > line.pric_uplmt THEN mul2(line.pric - line.pric_uplmt, line.cnt + COALESCE(reversed.cnt, 0))
            ELSE 0
        END AS DECIMAL(38, 2)
    ) AS amount,
    'fact_fee_line' AS source_table,
    line.bkkp_sn AS row_key,
    CASE WHEN line.cnt + COALESCE(reversed.cnt, 0) <= 0 THEN 'wholly reversed' END AS excluded_reason
FROM line
LEFT JOIN reversed
    ON reversed.bkkp_sn = line.bkkp_sn
