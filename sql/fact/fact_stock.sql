-- fact_stock 月末库存：机构 × 国家编码 × 盘存月份一行，最小单位。
-- Questions: what did an institution hold at the end of a month (opening and closing stock of the balance test)?
SELECT
    stock.fixmedins_code AS fixmedins_code,
    stock.med_list_codg AS med_list_codg,
    stock.inv_month AS inv_month,
    stock.inv_end_cnt AS inv_end_cnt,
    stock.updt_time AS updt_time,
    stock.county AS county,
    stock.month AS month
FROM silver.stock_month AS stock
