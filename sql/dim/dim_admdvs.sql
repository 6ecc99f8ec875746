-- dim_admdvs 医保区划维度：一行一个区划。
-- Questions: which counties make up the region; which of them are remote (longer delivery terms)?
SELECT
    area.admdvs AS admdvs,
    area.admdvs_name AS admdvs_name,
    area.prnt_admdvs AS prnt_admdvs,
    area.remote_flag AS remote_flag,
    CASE WHEN area.admdvs = $region THEN 'region' WHEN area.prnt_admdvs = $region THEN 'county' ELSE 'other' END AS area_level,
    area.updt_time AS updt_time,
    area.county AS county,
    area.month AS month
FROM silver.admdvs AS area
