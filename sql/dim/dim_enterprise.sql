-- dim_enterprise 企业维度：一行一家生产企业或配送企业（当前版本）。
-- Questions: who makes and who delivers what the institutions order?
SELECT
    org.org_code AS org_code,
    org.uscc AS uscc,
    org.org_name AS org_name,
    org.org_type AS entp_type,
    org.updt_time AS updt_time,
    org.county AS county,
    org.month AS month
FROM silver.enterprise AS org
