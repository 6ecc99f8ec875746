-- dim_service_item 医疗服务项目维度：一行一个有政府指导价的项目，名称取最新一版。
-- Questions: which medical services have a guide price, and what are they called?
WITH version AS (
    SELECT
        price.serv_code AS serv_code,
        price.serv_name AS serv_name,
        price.updt_time AS updt_time,
        price.county AS county,
        price.month AS month,
        ROW_NUMBER() OVER (
            PARTITION BY price.serv_code
            ORDER BY price.eff_date DESC, price.medins_lv DESC, price.serv_code
        ) AS version_no
    FROM silver.serv_pric AS price
)
SELECT
    version.serv_code AS serv_code,
    version.serv_name AS serv_name,
    version.updt_time AS updt_time,
    version.county AS county,
    version.month AS month
FROM version
WHERE version.version_no = 1
