#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "clients/cli/command.h"
#include "clients/cli/number_range.h"
#include "clients/cli/quality_text.h"
#include "clients/cli/report.h"
#include "clients/cli/table.h"
#include "clients/cli/unicode_text.h"

namespace facegate::cli {
namespace {

constexpr char kInfoFooter[] =
    "Examples:\n"
    "  facegate info\n"
    "  facegate info --wait 60        until the server takes calls, for a script that started it\n"
    "  facegate --json info";

// A guard that is off is shouted: it is a risk.
const char* OnOff(bool on) { return on ? "on" : "OFF"; }

// Pairs of a name and a value, one a line.
using Lines = std::vector<std::pair<std::string, std::string>>;

void AddModel(const v1::ModelInfo& model, Lines& lines) {
  lines.emplace_back("model",
                     fmt::format("{}, {} values", model.architecture(), model.embedding_size()));
  lines.emplace_back("model digest", model.model_digest());
  lines.emplace_back("preprocessing", model.preprocessing_digest());
  lines.emplace_back("crop", fmt::format("{}x{} pixels, aligned to {}", model.crop_width(),
                                         model.crop_height(), model.alignment()));
  lines.emplace_back("mirror averaging", model.mirror_average() ? "on" : "off");
  lines.emplace_back("default min cosine", model.has_default_min_cosine()
                                               ? FormatCosine(model.default_min_cosine())
                                               : "none: requests or collections must give one");
  lines.emplace_back("calibration", model.calibration_id().empty()
                                        ? "none: no error rate is promised"
                                        : model.calibration_id().substr(0, 12));
  lines.emplace_back("trained on", model.training_data());
  lines.emplace_back("licence", model.licence());
  lines.emplace_back("origin", model.origin());
}

std::string ComputeText(const v1::ComputeInfo& compute) {
  const std::string how = compute.device_name().empty()
                              ? fmt::format("{} threads", compute.model_threads())
                              : fmt::format("{}, {}", compute.device_name(), compute.precision());
  return fmt::format("{}, {}, up to {} faces together", compute.device(), how, compute.max_batch());
}

// "cuda:0 (NVIDIA H200), 25000 templates on it"; "cpu".
std::string SearchText(const v1::GetServerInfoResponse& info) {
  if (info.templates_on_card() == 0) return info.search_device();
  return fmt::format("{}, {} templates on it", info.search_device(), info.templates_on_card());
}

void PrintInfo(Session& session, const v1::GetServerInfoResponse& info) {
  const v1::Limits& limits = info.limits();
  Lines lines = {{"version", info.version()}, {"started", FormatTime(info.start_time())}};
  AddModel(info.model(), lines);
  lines.emplace_back("detector", info.detector());
  lines.emplace_back(
      "quality wanted",
      fmt::format("{} to enrol, {} to compare, where a collection does not say",
                  FormatQuality(info.enrol_quality()), FormatQuality(info.probe_quality())));
  lines.emplace_back("compute", ComputeText(info.compute()));
  lines.emplace_back("searches", SearchText(info));
  lines.emplace_back("encryption at rest", OnOff(info.security().encryption_at_rest()));
  lines.emplace_back("TLS", OnOff(info.security().tls()));
  lines.emplace_back(
      "limits",
      fmt::format("image {} bytes and {} pixels, message {} bytes, {} samples per enrolment, "
                  "{} candidates",
                  limits.max_image_bytes(), limits.max_image_pixels(), limits.max_message_bytes(),
                  limits.max_samples(), limits.max_candidates()));
  lines.emplace_back("enrolled", fmt::format("{} collections, {} identities, {} templates",
                                             info.collection_count(), info.identity_count(),
                                             info.template_count()));
  constexpr size_t kNameColumns = 20;
  const size_t columns = session.terminal.columns;
  for (const auto& [name, value] : lines) {
    std::string head = name;
    for (const std::string& line : WrapText(value.empty() ? "-" : Printable(value),
                                            columns == 0 ? 0 : columns - kNameColumns)) {
      session.out << fmt::format("{:<{}}{}\n", head, kNameColumns, line);
      head.clear();
    }
  }
}

class InfoCommand : public Command {
 public:
  explicit InfoCommand(CLI::App& info) : Command(info) {
    info.footer(kInfoFooter);
    info.add_option("--wait", wait_s_, "Wait up to N seconds for the server to take calls")
        ->check(NumberBetween(0.0, 86'400.0))
        ->type_name("SECONDS");
  }

  ExitCode Run(Session& session) override {
    if (wait_s_ > 0) {
      const auto ready = session.client.WaitUntilReady(
          std::chrono::milliseconds(static_cast<int64_t>(wait_s_ * 1000)));
      if (!ready.ok()) return Fail(session, "", ready.error());
      if (!*ready) {
        return Fail(session, "",
                    {.code = grpc::StatusCode::UNAVAILABLE,
                     .message = fmt::format("the server is not ready after {} s", wait_s_)});
      }
    }
    const auto answer = session.client.GetServerInfo();
    if (!answer.ok()) return Fail(session, "", answer.error());
    if (session.json) {
      PrintJson(session, ToJson(*answer));
    } else {
      PrintInfo(session, *answer);
    }
    return ExitCode::kOk;
  }

 private:
  double wait_s_ = 0.0;
};

}  // namespace

void AddInfo(CLI::App& app, Commands& commands) {
  commands.push_back(std::make_unique<InfoCommand>(
      *app.add_subcommand("info", "What the server is, runs and allows")));
}

}  // namespace facegate::cli
