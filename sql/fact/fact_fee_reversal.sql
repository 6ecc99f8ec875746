-- fact_fee_reversal 费用冲销：一行一条写明原费用流水号的费用明细（窄表）。
-- Questions: how much of a charge line was taken back, and when (S03: the count left of a line)?
-- A reversal may name a line of any institution: who looks for those of a line looks at all counties; hence a table of their own, small and narrow.
SELECT
    fee.bkkp_sn AS bkkp_sn,
    fee.init_feedetl_sn AS init_feedetl_sn,
    fee.fixmedins_code AS fixmedins_code,
    fee.fee_ocur_time AS fee_ocur_time,
    fee.cnt AS cnt,
    fee.county AS county,
    fee.month AS month
FROM gold.fact_fee_line AS fee
WHERE fee.init_feedetl_sn IS NOT NULL
