// Enrols and identifies real people through the real server: closed-set rank-1 over gRPC, from
// photos to names. Prints one row for each detector, plain and with mirror averaging.

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <iostream>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "clients/cli/progress.h"
#include "clients/cli/table.h"
#include "clients/cpp/retry.h"
#include "face/base/file.h"
#include "tests/bench/lfw_people.h"
#include "tests/support/imported_model.h"
#include "tests/support/server_process.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

constexpr char kCollection[] = "lfw";

struct BenchOptions {
  std::filesystem::path data{};
  std::vector<std::string> detectors = {"yunet", "haar", "haar-eyes"};
  std::string landmark_net{};   // of haar; empty: the bundled one
  std::string mirror = "both";  // "off", "on", "both"
  size_t people = 0;            // 0: all
  int jobs = 8;
  int max_batch = 8;
  bool gate = true;  // the server's own qualities; else every face is enrolled and compared
};

struct Setting {
  std::string detector;
  bool mirror = false;
};

struct RankOne {
  size_t people = 0;
  size_t probes = 0;
  size_t correct = 0;
  size_t not_enrolled = 0;    // photos of the gallery without a face, or one that is not fit
  size_t probes_no_face = 0;  // counted as misses
  size_t probes_unfit = 0;    // INCONCLUSIVE; counted as misses
  size_t comparable = 0;      // probes that were compared, of people who are enrolled
  size_t other_failures = 0;  // any other refusal, of either kind; counted as misses
  double enroll_s = 0.0;
  double identify_s = 0.0;

  double percent() const {
    return probes == 0 ? 0.0 : 100.0 * static_cast<double>(correct) / static_cast<double>(probes);
  }
  double percent_of_comparable() const {
    return comparable == 0 ? 0.0
                           : 100.0 * static_cast<double>(correct) / static_cast<double>(comparable);
  }
};

// Runs `task(i)` for each i below `count`, `jobs` at a time. Returns the seconds it took.
double ForEach(size_t count, int jobs, const std::function<void(size_t)>& task) {
  const auto start = std::chrono::steady_clock::now();
  {
    std::atomic<size_t> next = 0;
    std::vector<std::jthread> threads;
    for (int job = 0; job < jobs; ++job) {
      threads.emplace_back([&] {
        for (size_t i = next++; i < count; i = next++) task(i);
      });
    }
    for (std::jthread& thread : threads) thread.join();
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// One setting: a running server, and the counts.
class Bench {
 public:
  Bench(FacegateClient& client, const std::vector<LfwPerson>& people, int jobs)
      : client_(client), people_(people), jobs_(jobs), enrolled_(people.size(), 0) {}

  StatusOr<RankOne> Run();

 private:
  void Enroll(size_t person);
  void Identify(size_t person, const std::filesystem::path& photo);
  void Count(const ClientError& error, std::atomic<size_t>& no_face);

  FacegateClient& client_;
  const std::vector<LfwPerson>& people_;
  const int jobs_;
  std::vector<char> enrolled_;  // of each person; written by the one call that enrols him
  std::atomic<size_t> correct_ = 0;
  std::atomic<size_t> comparable_ = 0;
  std::atomic<size_t> probes_unfit_ = 0;
  std::atomic<size_t> not_enrolled_ = 0;
  std::atomic<size_t> probes_no_face_ = 0;
  std::atomic<size_t> other_failures_ = 0;
};

v1::Probe ProbeOf(const std::filesystem::path& photo) {
  v1::Probe probe;
  const auto bytes = ReadFile(photo.string(), 16 << 20);
  if (bytes.ok()) probe.set_image(*bytes);
  probe.set_face_selection(v1::FACE_SELECTION_CENTRAL);
  return probe;
}

void Bench::Count(const ClientError& error, std::atomic<size_t>& no_face) {
  if (error.reason == "NO_FACE" || error.reason == "LOW_QUALITY") {
    ++no_face;
  } else if (other_failures_++ == 0) {
    std::cerr << "\nfirst unexpected refusal: " << error << "\n";
  }
}

void Bench::Enroll(size_t person) {
  v1::EnrollRequest request;
  request.set_collection_id(kCollection);
  request.set_identity_id(people_[person].id);
  *request.add_samples() = ProbeOf(people_[person].enrolled);
  const auto answer = CallWithRetry([&] { return client_.Enroll(request); });
  if (!answer.ok()) Count(answer.error(), not_enrolled_);
  enrolled_[person] = answer.ok() ? 1 : 0;
}

void Bench::Identify(size_t person, const std::filesystem::path& photo) {
  v1::IdentifyRequest request;
  request.set_collection_id(kCollection);
  *request.mutable_probe() = ProbeOf(photo);
  request.mutable_operating_point()->set_min_cosine(-1.0F);
  request.set_max_candidates(1);
  const auto answer = CallWithRetry([&] { return client_.Identify(request); });
  if (!answer.ok()) {
    Count(answer.error(), probes_no_face_);
    return;
  }
  if (answer->results_size() != 1) return;
  const auto& result = answer->results(0);
  if (result.decision() == v1::DECISION_INCONCLUSIVE) {
    ++probes_unfit_;
    return;
  }
  if (enrolled_[person] != 0) ++comparable_;
  if (result.candidates_size() == 1 && result.candidates(0).identity_id() == people_[person].id) {
    ++correct_;
  }
}

StatusOr<RankOne> Bench::Run() {
  v1::CreateCollectionRequest create;
  create.set_collection_id(kCollection);
  if (const auto created = client_.CreateCollection(create); !created.ok()) {
    return Internal("creating the collection: " + Describe(created.error()));
  }
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  std::vector<std::pair<size_t, const std::filesystem::path*>> probes;
  for (size_t person = 0; person < people_.size(); ++person) {
    for (const auto& photo : people_[person].probes) probes.emplace_back(person, &photo);
  }
  RankOne result{.people = people_.size(), .probes = probes.size()};
  cli::Progress enrolling(std::cerr, terminal, people_.size());
  result.enroll_s = ForEach(people_.size(), jobs_, [&](size_t i) {
    Enroll(i);
    enrolling.Advance(true);
  });
  enrolling.Finish();
  cli::Progress identifying(std::cerr, terminal, probes.size());
  result.identify_s = ForEach(probes.size(), jobs_, [&](size_t i) {
    Identify(probes[i].first, *probes[i].second);
    identifying.Advance(true);
  });
  identifying.Finish();
  result.correct = correct_;
  result.not_enrolled = not_enrolled_;
  result.probes_no_face = probes_no_face_;
  result.probes_unfit = probes_unfit_;
  result.comparable = comparable_;
  result.other_failures = other_failures_;
  return result;
}

StatusOr<RankOne> RunSetting(const BenchOptions& options, const Setting& setting,
                             const std::vector<LfwPerson>& people) {
  std::cerr << fmt::format("{}, {}: importing, starting, enrolling {} people\n", setting.detector,
                           setting.mirror ? "mirrored" : "plain", people.size());
  const TempDir dir;
  const std::string model = dir.File("model.safetensors");
  FACEGATE_RETURN_IF_ERROR(ImportTestModel(options.data, model, setting.mirror));
  std::vector<std::string> flags = {fmt::format("--max_batch={}", options.max_batch)};
  if (!options.gate) flags.insert(flags.end(), {"--enrol_quality=0", "--probe_quality=0"});
  if (setting.detector == "yunet") {
    flags.push_back("--detector_model=" +
                    (options.data / "detectors/yunet_n_dynamic.onnx").string());
  } else {
    flags.push_back("--detector=" + setting.detector);
    if (setting.detector == "haar") flags.push_back("--detector_landmarks=" + options.landmark_net);
  }
  FACEGATE_ASSIGN_OR_RETURN(
      const auto server,
      ServerProcess::Start({.folder = dir.path(), .model = model, .flags = std::move(flags)}));
  const auto client = server->Connect(std::chrono::seconds(120));
  FACEGATE_ASSIGN_OR_RETURN(RankOne result, Bench(*client, people, options.jobs).Run());
  FACEGATE_RETURN_IF_ERROR(server->Stop());
  return result;
}

std::vector<Setting> SettingsOf(const BenchOptions& options) {
  std::vector<Setting> settings;
  for (const std::string& detector : options.detectors) {
    if (options.mirror != "on") settings.push_back({detector, false});
    if (options.mirror != "off") settings.push_back({detector, true});
  }
  return settings;
}

void AddRow(const Setting& setting, const RankOne& result, cli::Table& table) {
  table.AddRow({setting.detector, setting.mirror ? "on" : "off",
                fmt::format("{:.2f}", result.percent()),
                fmt::format("{}/{}", result.correct, result.probes),
                fmt::format("{:.2f}", result.percent_of_comparable()),
                fmt::format("{}/{}", result.not_enrolled, result.people),
                std::to_string(result.probes_no_face), std::to_string(result.probes_unfit),
                std::to_string(result.other_failures), fmt::format("{:.1f}", result.enroll_s),
                fmt::format("{:.1f}", result.identify_s),
                fmt::format("{:.1f}", static_cast<double>(result.probes) / result.identify_s)});
}

int Main(const BenchOptions& options) {
  const auto people = ReadLfwPeople(options.data / "lfw/photos", options.people);
  if (!people.ok()) {
    std::cerr << MessageOf(people.status()) << "\n";
    return 2;
  }
  constexpr auto kRight = cli::Table::Align::kRight;
  cli::Table table({{"DETECTOR"},
                    {"MIRROR"},
                    {"RANK-1 %", kRight},
                    {"CORRECT", kRight},
                    {"OF COMPARABLE %", kRight},
                    {"NOT ENROLLED", kRight},
                    {"PROBES WITHOUT FACE", kRight},
                    {"INCONCLUSIVE", kRight},
                    {"OTHER FAILURES", kRight},
                    {"ENROLL S", kRight},
                    {"IDENTIFY S", kRight},
                    {"PROBES/S", kRight}});
  for (const Setting& setting : SettingsOf(options)) {
    const auto result = RunSetting(options, setting, *people);
    if (!result.ok()) {
      std::cerr << MessageOf(result.status()) << "\n";
      return 1;
    }
    AddRow(setting, *result, table);
    std::cerr << fmt::format("{}, {}: rank-1 {:.2f} %\n", setting.detector,
                             setting.mirror ? "mirrored" : "plain", result->percent());
  }
  std::cout << "Closed-set rank-1 through gRPC: LFW people with two or more photos, the first "
               "enrolled, the others\nprobes, face_selection CENTRAL. A probe without a face is a "
               "miss, so are one that is not fit to be\ncompared and each of a person who is not "
               "enrolled; \"of comparable\" leaves these out.\n\n";
  table.Print(std::cout);
  return 0;
}

}  // namespace
}  // namespace facegate

int main(int argc, char** argv) {
  CLI::App app(
      "Closed-set rank-1 identification of LFW photos through the real server over gRPC.\n"
      "Example: identification_bench --data ~/facegate-data --detector yunet");
  facegate::BenchOptions options;
  app.add_option("--data", options.data, "Folder with lfw/photos, weights and detectors")
      ->envname("FACEGATE_DATA")
      ->required();
  app.add_option("--detector", options.detectors, "Only these detectors")
      ->check(CLI::IsMember({"yunet", "haar", "haar-eyes"}));
  app.add_option("--landmark-net", options.landmark_net, "Another landmark network for haar");
  app.add_option("--mirror", options.mirror, "Mirror averaging")
      ->check(CLI::IsMember({"off", "on", "both"}))
      ->capture_default_str();
  app.add_option("--people", options.people, "Only the first so many people");
  app.add_option("--jobs", options.jobs, "Calls in flight")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_option("--max-batch", options.max_batch, "Faces of one forward pass")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_flag("!--no-gate", options.gate, "Enrol and compare every face, however bad it is");
  CLI11_PARSE(app, argc, argv);
  return facegate::Main(options);
}
