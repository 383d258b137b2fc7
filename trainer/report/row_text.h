#pragma once

#include <string>
#include <string_view>

#include "face/base/status.h"
#include "trainer/report/run_rows.h"

// Rows as lines of text, without their ends. Numbers have the shortest form that reads back as the
// same number.
namespace facegate::report {

inline constexpr std::string_view kStepHeader =
    "batch,epoch,loss,distillation,map_distillation,accuracy,learning_rate,gradient_norm,"
    "images_per_second";
inline constexpr std::string_view kEvaluationHeader =
    "batch,epoch,set,accuracy,deviation,tar_1e2,tar_1e3,eer,auc,d_prime,threshold";
inline constexpr std::string_view kValidationHeader = "batch,epoch,loss,top_1,top_3,top_5,top_10";

// Comma-separated; NaN is an empty field. A name with a comma or a quotation mark is quoted.
std::string CsvLine(const StepRow& row);
std::string CsvLine(const EvaluationRow& row);
std::string CsvLine(const ValidationRow& row);
// `header` names the columns of the line: one that an earlier version wrote has fewer of them, and
// what it lacks was not measured. kDataLoss when a line is none of ours.
StatusOr<StepRow> StepFromCsv(std::string_view line, std::string_view header = kStepHeader);
StatusOr<EvaluationRow> EvaluationFromCsv(std::string_view line,
                                          std::string_view header = kEvaluationHeader);
StatusOr<ValidationRow> ValidationFromCsv(std::string_view line,
                                          std::string_view header = kValidationHeader);

// One JSON object with "time" (UTC, ISO 8601), "kind" ("step", "evaluation", "validation",
// "note") and the row's
// columns; null is what is not finite.
std::string JsonLine(const StepRow& row, int64_t unix_micros);
std::string JsonLine(const EvaluationRow& row, int64_t unix_micros);
std::string JsonLine(const ValidationRow& row, int64_t unix_micros);
std::string JsonNote(int64_t batch, std::string_view text, int64_t unix_micros);

}  // namespace facegate::report
