-- Agreed-volume progress: net received minimum units of winners and reserves in the agreement up to T ÷ agreed minimum units,
-- by institution, batch and group; against the share of the agreement's days that has passed (time_progress, gap, forecast).
-- on_track and completion_amt feed the roll-ups only; lagging_groups counts an institution's groups behind the clock.
SELECT
    pick.measure AS measure,
    judged.month AS month,
    judged.county AS county,
    'subject' AS level,
    judged.medins_code AS subject_code,
    '' AS product_code,
    judged.btch_code AS batch_code,
    judged.grp_code AS group_code,
    CASE pick.measure
        WHEN 'main' THEN judged.win_cnt
        WHEN 'time_progress' THEN CAST(judged.run_days AS DECIMAL(38, 10))
        WHEN 'on_track' THEN CAST(
            CASE
                WHEN judged.ended = 1 AND judged.completion >= 1 THEN 1
                WHEN judged.ended = 0 AND judged.gap >= 0 THEN 1
                ELSE 0
            END AS DECIMAL(38, 10)
        )
        WHEN 'completion_amt' THEN CAST(judged.win_amt AS DECIMAL(38, 10))
    END AS numerator,
    CASE pick.measure
        WHEN 'main' THEN judged.agrm_cnt
        WHEN 'time_progress' THEN CAST(judged.all_days AS DECIMAL(38, 10))
        WHEN 'on_track' THEN CAST(1 AS DECIMAL(38, 10))
        WHEN 'completion_amt' THEN CAST(judged.agrm_amt AS DECIMAL(38, 10))
    END AS denominator,
    CASE pick.measure
        WHEN 'gap' THEN judged.gap
        WHEN 'forecast' THEN judged.forecast
    END AS value,
    CAST(NULL AS DECIMAL(38, 2)) AS amount_at_risk,
    '' AS mark,
    CAST(1 AS BIGINT) AS sample_n,
    CASE WHEN pick.measure = 'main' THEN CAST(judged.ended AS BIGINT) END AS in_ended,
    CASE WHEN pick.measure = 'main' THEN CAST(judged.full_months AS BIGINT) END AS in_full_months,
    CASE WHEN pick.measure = 'main' THEN judged.gap END AS in_gap
FROM ask.basis AS judged
CROSS JOIN (
    SELECT 'main' AS measure
    UNION ALL
    SELECT 'time_progress' AS measure
    UNION ALL
    SELECT 'gap' AS measure
    UNION ALL
    SELECT 'forecast' AS measure
    UNION ALL
    SELECT 'on_track' AS measure
    UNION ALL
    SELECT 'completion_amt' AS measure
) AS pick
WHERE judged.agrm_cnt > 0
   OR pick.measure NOT IN ('on_track', 'completion_amt')
UNION ALL
SELECT
    'lagging_groups' AS measure,
    judged.month AS month,
    judged.county AS county,
    'subject' AS level,
    judged.medins_code AS subject_code,
    '' AS product_code,
    judged.btch_code AS batch_code,
    '' AS group_code,
    CAST(SUM(CASE WHEN judged.gap < 0 THEN 1 ELSE 0 END) AS DECIMAL(38, 10)) AS numerator,
    CAST(NULL AS DECIMAL(38, 10)) AS denominator,
    CAST(NULL AS DECIMAL(38, 6)) AS value,
    CAST(NULL AS DECIMAL(38, 2)) AS amount_at_risk,
    '' AS mark,
    CAST(COUNT(*) AS BIGINT) AS sample_n,
    CAST(NULL AS BIGINT) AS in_ended,
    CAST(NULL AS BIGINT) AS in_full_months,
    CAST(NULL AS DECIMAL(38, 6)) AS in_gap
FROM ask.basis AS judged
GROUP BY
    judged.month,
    judged.county,
    judged.medins_code,
    judged.btch_code
