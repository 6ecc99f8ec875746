-- fact_appeal 医疗机构诉求：一行一条诉求，带批次的产品类型。
-- Questions: which winners were complained about, and how soon did they reply and solve it?
SELECT
    appeal.appeal_id AS appeal_id,
    appeal.btch_code AS btch_code,
    appeal.prod_code AS prod_code,
    appeal.medins_code AS medins_code,
    appeal.entp_code AS entp_code,
    batch.prod_type AS prod_type,
    appeal.crte_time AS crte_time,
    appeal.reply_time AS reply_time,
    appeal.solv_time AS solv_time,
    appeal.updt_time AS updt_time,
    appeal.county AS county,
    appeal.month AS month
FROM silver.appeal AS appeal
INNER JOIN silver.vbp_batch AS batch
    ON batch.btch_code = appeal.btch_code
