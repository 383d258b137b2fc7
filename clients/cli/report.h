#pragma once

#include <google/protobuf/message.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "clients/cli/command.h"

// Results and errors are shown by these.
namespace facegate::cli {

// Keeps the order of fields.
using Json = nlohmann::ordered_json;

// The message in proto3's JSON form, with the names of the .proto files; fields without a value are
// there, too. 64-bit integers are strings, as that form has it.
Json ToJson(const google::protobuf::Message& message);
// {"error": {"code", "reason", "message", "field", "retry_after_ms", "metadata"}}; what is empty is
// left out.
Json ToJson(const ClientError& error);

// A problem of this machine, such as a file that cannot be read; not the server's answer.
ClientError LocalError(std::string message);
ExitCode ExitCodeOf(const ClientError& error);

// Prints `json` and a newline.
void PrintJson(Session& session, const Json& json);
// "facegate: door.jpg: NO_FACE: …" on err; what is being done, such as a photo's name, is
// `subject`, which may be empty.
void PrintError(Session& session, std::string_view subject, const ClientError& error);
// A whole command failed: PrintError, and with --json the error on out. Returns its exit code.
ExitCode Fail(Session& session, std::string_view subject, const ClientError& error);
// Ends a command that makes one call: Fail, or the answer, as JSON or printed by `print`, a void
// (const Response&).
template <typename Response, typename Print>
ExitCode Finish(Session& session, std::string_view subject, const ClientResult<Response>& answer,
                const Print& print) {
  if (!answer.ok()) return Fail(session, subject, answer.error());
  if (session.json) {
    PrintJson(session, ToJson(*answer));
  } else {
    print(*answer);
  }
  return ExitCode::kOk;
}

// "MATCH", "NO_MATCH" or "INCONCLUSIVE".
std::string DecisionName(v1::Decision decision);
// "threshold 0.4000, given with the request"; says so when it comes from the model card.
std::string DescribeBasis(const v1::DecisionBasis& basis);
// "0.0012 (0.00091 to 0.0016)".
std::string DescribeRate(const v1::ErrorRate& rate);
// A cosine with 4 digits.
std::string FormatCosine(float cosine);
// Formats what decided, of a candidate or a verification: "0.4512", or "0.4120 of 0.4512" where the
// cosine was normalised.
template <typename Scored>
std::string FormatScore(const Scored& scored) {
  if (!scored.has_normalised()) return FormatCosine(scored.cosine());
  return FormatCosine(scored.normalised()) + " of " + FormatCosine(scored.cosine());
}
// "83,112 96x118, score 0.93, quality 0.81": left, top, width and height in pixels.
std::string DescribeFace(const v1::Face& face);
// "2026-11-22T10:00:00Z".
std::string FormatTime(const google::protobuf::Timestamp& time);
// "2026-11-22T10:00Z", for tables.
std::string FormatMinute(const google::protobuf::Timestamp& time);
// "42" of "collections/staff/identities/1017/templates/42"; "-" where there is none.
std::string TemplateNumber(const std::string& template_name);

}  // namespace facegate::cli
