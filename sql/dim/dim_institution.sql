-- dim_institution 医药机构维度：一行一家医疗机构或零售药店（当前版本）。
-- Questions: who is monitored, of which level and ownership, in which county?
SELECT
    org.org_code AS org_code,
    org.uscc AS uscc,
    org.org_name AS org_name,
    org.org_type AS org_type,
    org.medins_lv AS medins_lv,
    org.publ_flag AS publ_flag,
    org.admdvs AS admdvs,
    org.updt_time AS updt_time,
    org.county AS county,
    org.month AS month
FROM silver.institution AS org
