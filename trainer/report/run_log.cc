#include "trainer/report/run_log.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <utility>

#include "face/base/file.h"
#include "trainer/report/row_text.h"

namespace facegate::report {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kMaxLogBytes = 8ULL << 30;
constexpr std::chrono::seconds kFlushEvery(5);
constexpr char kSteps[] = "steps.csv";
constexpr char kEvaluations[] = "evaluations.csv";
constexpr char kValidation[] = "validation.csv";

std::string PathIn(const std::string& directory, const char* name) {
  return (std::filesystem::path(directory) / name).string();
}

// The text of a log; empty where there is none yet.
StatusOr<std::string> ReadLog(const std::string& path) {
  StatusOr<std::string> text = ReadFile(path, kMaxLogBytes);
  if (text.status().code() == StatusCode::kNotFound) return std::string();
  return text;
}

// Calls `use` with each line that has its end, and with its number from 1.
Status ForEachLine(std::string_view text,
                   const std::function<Status(std::string_view, size_t)>& use) {
  size_t number = 0;
  for (size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    FACEGATE_RETURN_IF_ERROR(use(text.substr(0, end), ++number));
    text.remove_prefix(end + 1);
  }
  return OkStatus();
}

template <typename Row>
using RowParser = StatusOr<Row> (*)(std::string_view line, std::string_view header);

// Calls `use` with the rows of a CSV file, whose first line names its columns.
template <typename Row>
Status ForEachRow(const std::string& path, std::string_view text, RowParser<Row> parse,
                  const std::function<void(const Row&)>& use) {
  std::string_view header;
  return ForEachLine(text, [&](std::string_view line, size_t number) -> Status {
    if (number == 1) {
      header = line;
      return OkStatus();
    }
    const StatusOr<Row> row = parse(line, header);
    if (!row.ok()) return Annotate(row.status(), fmt::format("{}, line {}", path, number));
    use(*row);
    return OkStatus();
  });
}

template <typename Row>
StatusOr<std::vector<Row>> ReadRows(const std::string& path, RowParser<Row> parse) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string text, ReadLog(path));
  std::vector<Row> rows;
  FACEGATE_RETURN_IF_ERROR(
      ForEachRow<Row>(path, text, parse, [&rows](const Row& row) { rows.push_back(row); }));
  return rows;
}

bool StaysAt(int64_t resume_batch, const StepRow& row) { return row.batch < resume_batch; }
bool StaysAt(int64_t resume_batch, const EvaluationRow& row) {
  return resume_batch > 0 && row.batch <= resume_batch;
}
bool StaysAt(int64_t resume_batch, const ValidationRow& row) {
  return resume_batch > 0 && row.batch <= resume_batch;
}

// Opens a CSV file that has the header and the rows that stay.
template <typename Row>
StatusOr<std::unique_ptr<AppendFile>> OpenRows(const std::string& path, std::string_view header,
                                               RowParser<Row> parse, int64_t resume_batch) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string text, ReadLog(path));
  std::string kept = fmt::format("{}\n", header);
  FACEGATE_RETURN_IF_ERROR(ForEachRow<Row>(path, text, parse, [&](const Row& row) {
    if (StaysAt(resume_batch, row)) kept.append(CsvLine(row)).push_back('\n');
  }));
  if (kept != text) FACEGATE_RETURN_IF_ERROR(WriteFileAtomically(path, kept));
  return AppendFile::Open(path, AppendFile::Mode::kContinue);
}

// True when a line of log.jsonl stays: notes do, and whatever we did not write.
bool StaysAt(int64_t resume_batch, std::string_view line) {
  const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("kind") || !json.contains("batch")) return true;
  if (!json["batch"].is_number_integer()) return true;
  const auto batch = json["batch"].get<int64_t>();
  if (json["kind"] == "step") return StaysAt(resume_batch, StepRow{.batch = batch});
  if (json["kind"] == "validation") return StaysAt(resume_batch, ValidationRow{.batch = batch});
  if (json["kind"] != "evaluation") return true;
  return StaysAt(resume_batch, EvaluationRow{.batch = batch, .set = {}});
}

StatusOr<std::unique_ptr<AppendFile>> OpenLog(const std::string& path, int64_t resume_batch) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string text, ReadLog(path));
  std::string kept;
  FACEGATE_RETURN_IF_ERROR(ForEachLine(text, [&](std::string_view line, size_t /*number*/) {
    if (StaysAt(resume_batch, line)) kept.append(line).push_back('\n');
    return OkStatus();
  }));
  if (kept != text) FACEGATE_RETURN_IF_ERROR(WriteFileAtomically(path, kept));
  return AppendFile::Open(path, AppendFile::Mode::kContinue);
}

Status AppendLine(AppendFile& file, std::string line) {
  line.push_back('\n');
  return file.Append(line);
}

}  // namespace

StatusOr<std::unique_ptr<RunLog>> RunLog::Open(const std::string& directory, int64_t resume_batch,
                                               const Clock& clock) {
  if (resume_batch < 0) {
    return InvalidArgument(fmt::format("a run cannot go on at batch {}", resume_batch));
  }
  Files files;
  FACEGATE_ASSIGN_OR_RETURN(files.steps, OpenRows<StepRow>(PathIn(directory, kSteps), kStepHeader,
                                                           &StepFromCsv, resume_batch));
  FACEGATE_ASSIGN_OR_RETURN(
      files.evaluations, OpenRows<EvaluationRow>(PathIn(directory, kEvaluations), kEvaluationHeader,
                                                 &EvaluationFromCsv, resume_batch));
  const std::string validation = PathIn(directory, kValidation);
  if (std::error_code error; std::filesystem::exists(validation, error)) {
    FACEGATE_ASSIGN_OR_RETURN(
        files.validation,
        OpenRows<ValidationRow>(validation, kValidationHeader, &ValidationFromCsv, resume_batch));
  }
  FACEGATE_ASSIGN_OR_RETURN(files.log, OpenLog(PathIn(directory, "log.jsonl"), resume_batch));
  FACEGATE_ASSIGN_OR_RETURN(files.events, EventFile::Create(directory, clock));
  FACEGATE_RETURN_IF_ERROR(files.events->AddRestart(resume_batch));
  std::unique_ptr<RunLog> log(new RunLog(directory, std::move(files), clock));
  log->last_batch_ = resume_batch;
  log->evaluated_at_ = resume_batch;
  // The restart made the events of this very batch void, but its evaluations still hold.
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<EvaluationRow> evaluations,
                            ReadEvaluations(directory));
  for (const EvaluationRow& row : evaluations) {
    if (row.batch != resume_batch) continue;
    FACEGATE_RETURN_IF_ERROR(log->AddEvaluationEvents(row));
    log->evaluated_.insert(row.set);
  }
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<ValidationRow> validations,
                            ReadValidation(directory));
  for (const ValidationRow& row : validations) {
    if (row.batch != resume_batch) continue;
    FACEGATE_RETURN_IF_ERROR(log->AddValidationEvents(row));
    log->validated_at_ = resume_batch;
  }
  FACEGATE_RETURN_IF_ERROR(log->Flush());
  return log;
}

RunLog::RunLog(std::string directory, Files files, const Clock& clock)
    : directory_(std::move(directory)),
      files_(std::move(files)),
      clock_(clock),
      next_flush_(clock.Now() + kFlushEvery) {}

Status RunLog::Step(const StepRow& row) {
  last_batch_ = row.batch;
  FACEGATE_RETURN_IF_ERROR(AppendLine(*files_.steps, CsvLine(row)));
  FACEGATE_RETURN_IF_ERROR(AppendLine(*files_.log, JsonLine(row, clock_.UnixMicros())));
  const std::pair<const char*, double> scalars[] = {
      {"train/loss", row.loss},
      {"train/distillation", row.distillation},
      {"train/map_distillation", row.map_distillation},
      {"train/accuracy", row.accuracy},
      {"train/learning_rate", row.learning_rate},
      {"train/gradient_norm", row.gradient_norm},
      {"speed/images_per_second", row.images_per_second},
  };
  for (const auto& [tag, value] : scalars) {
    if (!std::isnan(value)) {
      FACEGATE_RETURN_IF_ERROR(files_.events->AddScalar(tag, row.batch, value));
    }
  }
  return FlushNowAndThen();
}

Status RunLog::Evaluation(const EvaluationRow& row) {
  if (row.set.find_first_of("\r\n") != std::string::npos) {
    return InvalidArgument("the name of an evaluation set has a line end");
  }
  last_batch_ = row.batch;
  if (row.batch != evaluated_at_) evaluated_.clear();
  evaluated_at_ = row.batch;
  if (!evaluated_.insert(row.set).second) return OkStatus();
  FACEGATE_RETURN_IF_ERROR(AppendLine(*files_.evaluations, CsvLine(row)));
  FACEGATE_RETURN_IF_ERROR(AppendLine(*files_.log, JsonLine(row, clock_.UnixMicros())));
  FACEGATE_RETURN_IF_ERROR(AddEvaluationEvents(row));
  return Flush();
}

Status RunLog::AddEvaluationEvents(const EvaluationRow& row) {
  const std::pair<const char*, double> scalars[] = {
      {"accuracy", row.accuracy},
      {"tar_at_far_1e-2", row.tar_1e2},
      {"tar_at_far_1e-3", row.tar_1e3},
      {"eer", row.eer},
      {"auc", row.auc},
      {"d_prime", row.d_prime},
      {"threshold", row.threshold},
  };
  for (const auto& [name, value] : scalars) {
    if (std::isnan(value)) continue;
    const std::string tag = fmt::format("evaluation/{}/{}", row.set, name);
    FACEGATE_RETURN_IF_ERROR(files_.events->AddScalar(tag, row.batch, value));
  }
  return OkStatus();
}

Status RunLog::Validation(const ValidationRow& row) {
  last_batch_ = row.batch;
  if (std::exchange(validated_at_, row.batch) == row.batch) return OkStatus();
  if (files_.validation == nullptr) {
    FACEGATE_ASSIGN_OR_RETURN(
        files_.validation,
        OpenRows<ValidationRow>(PathIn(directory_, kValidation), kValidationHeader,
                                &ValidationFromCsv, row.batch));
  }
  FACEGATE_RETURN_IF_ERROR(AppendLine(*files_.validation, CsvLine(row)));
  FACEGATE_RETURN_IF_ERROR(AppendLine(*files_.log, JsonLine(row, clock_.UnixMicros())));
  FACEGATE_RETURN_IF_ERROR(AddValidationEvents(row));
  return Flush();
}

Status RunLog::AddValidationEvents(const ValidationRow& row) {
  const std::pair<const char*, double> scalars[] = {{"validation/loss", row.loss},
                                                    {"validation/top_1", row.top_1},
                                                    {"validation/top_3", row.top_3},
                                                    {"validation/top_5", row.top_5},
                                                    {"validation/top_10", row.top_10}};
  for (const auto& [tag, value] : scalars) {
    if (std::isnan(value)) continue;
    FACEGATE_RETURN_IF_ERROR(files_.events->AddScalar(tag, row.batch, value));
  }
  return OkStatus();
}

Status RunLog::Note(std::string_view text) {
  FACEGATE_RETURN_IF_ERROR(
      AppendLine(*files_.log, JsonNote(last_batch_, text, clock_.UnixMicros())));
  return Flush();
}

Status RunLog::Histogram(std::string_view tag, int64_t batch, std::span<const float> values) {
  FACEGATE_RETURN_IF_ERROR(files_.events->AddHistogram(tag, batch, values));
  return FlushNowAndThen();
}

Status RunLog::Image(std::string_view tag, int64_t batch, const cv::Mat& image) {
  FACEGATE_RETURN_IF_ERROR(files_.events->AddImage(tag, batch, image));
  return FlushNowAndThen();
}

Status RunLog::Text(std::string_view tag, int64_t batch, std::string_view text) {
  FACEGATE_RETURN_IF_ERROR(files_.events->AddText(tag, batch, text));
  return FlushNowAndThen();
}

Status RunLog::Graph(std::string_view graph) {
  FACEGATE_RETURN_IF_ERROR(files_.events->AddGraph(graph));
  return FlushNowAndThen();
}

Status RunLog::FlushNowAndThen() { return clock_.Now() < next_flush_ ? OkStatus() : Flush(); }

Status RunLog::Flush() {
  next_flush_ = clock_.Now() + kFlushEvery;
  FACEGATE_RETURN_IF_ERROR(files_.steps->Flush());
  FACEGATE_RETURN_IF_ERROR(files_.evaluations->Flush());
  if (files_.validation != nullptr) FACEGATE_RETURN_IF_ERROR(files_.validation->Flush());
  FACEGATE_RETURN_IF_ERROR(files_.log->Flush());
  return files_.events->Flush();
}

Status RunLog::Sync() {
  next_flush_ = clock_.Now() + kFlushEvery;
  FACEGATE_RETURN_IF_ERROR(files_.steps->Sync());
  FACEGATE_RETURN_IF_ERROR(files_.evaluations->Sync());
  if (files_.validation != nullptr) FACEGATE_RETURN_IF_ERROR(files_.validation->Sync());
  FACEGATE_RETURN_IF_ERROR(files_.log->Sync());
  return files_.events->Sync();
}

StatusOr<std::vector<StepRow>> ReadSteps(const std::string& directory) {
  return ReadRows<StepRow>(PathIn(directory, kSteps), &StepFromCsv);
}

StatusOr<std::vector<EvaluationRow>> ReadEvaluations(const std::string& directory) {
  return ReadRows<EvaluationRow>(PathIn(directory, kEvaluations), &EvaluationFromCsv);
}

StatusOr<std::vector<ValidationRow>> ReadValidation(const std::string& directory) {
  return ReadRows<ValidationRow>(PathIn(directory, kValidation), &ValidationFromCsv);
}

}  // namespace facegate::report
