#include "clients/cli/report.h"

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/time_util.h>

#include <utility>

#include "clients/cli/quality_text.h"
#include "clients/cli/unicode_text.h"

namespace facegate::cli {
namespace {

constexpr char kLocal[] = "LOCAL";

}  // namespace

ExitCode Worse(ExitCode a, ExitCode b) { return a < b ? b : a; }

Json ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(message, &text, options);
  if (!status.ok()) return Json{{"error", {{"message", status.ToString()}}}};
  return Json::parse(text);
}

Json ToJson(const ClientError& error) {
  Json json;
  json["code"] = CodeName(error.code);
  if (!error.reason.empty()) json["reason"] = error.reason;
  json["message"] = error.message;
  if (!error.field.empty()) json["field"] = error.field;
  if (error.retry_after.has_value()) json["retry_after_ms"] = error.retry_after->count();
  if (!error.metadata.empty()) json["metadata"] = error.metadata;
  return Json{{"error", std::move(json)}};
}

ClientError LocalError(std::string message) {
  return {
      .code = grpc::StatusCode::INVALID_ARGUMENT, .reason = kLocal, .message = std::move(message)};
}

ExitCode ExitCodeOf(const ClientError& error) {
  if (error.reason == kLocal) return ExitCode::kUsage;
  return error.unreachable() ? ExitCode::kUnreachable : ExitCode::kRefused;
}

void PrintJson(Session& session, const Json& json) {
  session.out << json.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
}

void PrintError(Session& session, std::string_view subject, const ClientError& error) {
  session.err << "facegate: ";
  if (!subject.empty()) session.err << Printable(subject) << ": ";
  session.err << Printable(error.reason == kLocal ? error.message : Describe(error)) << "\n";
}

ExitCode Fail(Session& session, std::string_view subject, const ClientError& error) {
  PrintError(session, subject, error);
  if (session.json) PrintJson(session, ToJson(error));
  return ExitCodeOf(error);
}

std::string DecisionName(v1::Decision decision) {
  switch (decision) {
    case v1::DECISION_MATCH:
      return "MATCH";
    case v1::DECISION_NO_MATCH:
      return "NO_MATCH";
    case v1::DECISION_INCONCLUSIVE:
      return "INCONCLUSIVE";
    default:
      return fmt::format("unknown ({})", static_cast<int>(decision));
  }
}

std::string DescribeRate(const v1::ErrorRate& rate) {
  return fmt::format("{:.2g} ({:.2g} to {:.2g})", rate.rate(), rate.lower(), rate.upper());
}

namespace {

// Says what a threshold promises.
std::string DescribeClaim(const v1::DecisionBasis& basis) {
  if (!basis.has_claimed()) return "not calibrated: it promises no error rate";
  const std::string rate = DescribeRate(basis.claimed());
  const std::string calibration = basis.calibration_id().substr(0, 12);
  if (basis.claimed().kind() != v1::ERROR_RATE_KIND_FPIR) {
    return fmt::format("false match rate {}, calibration {}", rate, calibration);
  }
  return fmt::format("finds somebody for {} of strangers among {} templates{}, calibration {}",
                     rate, basis.searched_templates(),
                     basis.claimed().by_formula() ? " by formula" : "", calibration);
}

}  // namespace

std::string DescribeBasis(const v1::DecisionBasis& basis) {
  std::string threshold = fmt::format("threshold {}", FormatCosine(basis.threshold()));
  switch (basis.source()) {
    case v1::OPERATING_POINT_SOURCE_REQUEST:
      return fmt::format("{}, given with the request ({})", threshold, DescribeClaim(basis));
    case v1::OPERATING_POINT_SOURCE_COLLECTION:
      return fmt::format("{}, the collection's ({})", threshold, DescribeClaim(basis));
    case v1::OPERATING_POINT_SOURCE_MODEL_CARD:
      return fmt::format("{}, the model card's default ({})", threshold, DescribeClaim(basis));
    default:
      return threshold;
  }
}

std::string FormatCosine(float cosine) { return fmt::format("{:.4f}", cosine); }

std::string DescribeFace(const v1::Face& face) {
  const v1::BoundingBox& box = face.box();
  std::string text = face.has_box()
                         ? fmt::format("{:.0f},{:.0f} {:.0f}x{:.0f}, score {:.2f}", box.x(),
                                       box.y(), box.width(), box.height(), face.score())
                         : "aligned crop";
  if (face.has_quality()) text += ", quality " + FormatQuality(face.quality().score());
  return text;
}

std::string FormatTime(const google::protobuf::Timestamp& time) {
  google::protobuf::Timestamp whole;
  whole.set_seconds(time.seconds());
  return google::protobuf::util::TimeUtil::ToString(whole);
}

std::string FormatMinute(const google::protobuf::Timestamp& time) {
  constexpr size_t kSeconds = 4;  // ":00Z"
  const std::string text = FormatTime(time);
  return text.size() <= kSeconds ? text : text.substr(0, text.size() - kSeconds) + "Z";
}

std::string TemplateNumber(const std::string& template_name) {
  const std::string number = template_name.substr(template_name.rfind('/') + 1);
  return number.empty() ? "-" : number;
}

}  // namespace facegate::cli
