-- dim_vbp_batch 集采批次维度：一行一个批次。
-- Questions: which batches run when, for drugs or consumables, organised at which level?
SELECT
    batch.btch_code AS btch_code,
    batch.btch_name AS btch_name,
    batch.btch_lv AS btch_lv,
    batch.prod_type AS prod_type,
    batch.agrt_begn_date AS agrt_begn_date,
    batch.agrt_end_date AS agrt_end_date,
    batch.updt_time AS updt_time,
    batch.county AS county,
    batch.month AS month
FROM silver.vbp_batch AS batch
