-- dim_date 日期维度：工作日历中的一天一行。
-- Questions: which days are workdays (deadlines in workdays: D01, D14)?
-- workday_shift = is_workday − (Monday to Friday). A day the calendar lacks counts as a workday from Monday to Friday, so
-- workdays in (a, b] = Mondays to Fridays in (a, b] + the sum of workday_shift of the days in (a, b]. 1970-01-01 was a Thursday.
SELECT
    day.cal_date AS cal_date,
    day.is_workday AS is_workday,
    (CAST(day.cal_date AS INTEGER) + 3) % 7 + 1 AS week_day,
    CASE WHEN day.is_workday = '1' THEN 1 ELSE 0 END
        - CASE WHEN (CAST(day.cal_date AS INTEGER) + 3) % 7 < 5 THEN 1 ELSE 0 END AS workday_shift,
    day.updt_time AS updt_time,
    day.county AS county,
    day.month AS month
FROM silver.workday AS day
