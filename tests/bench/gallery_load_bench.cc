// Measures a gallery under load, in process: how long a large one takes to open and how much memory
// it takes, searches beside enrolments and the other way round, how many enrolments a second are
// durable, how soon a cancelled search ends, and whether memory goes back after deletions. What is
// compared is measured in turns, in several rounds, so that what else the machine does meets both.
//
//   build/release/bin/gallery_load_bench --store /var/tmp/gallery-load --json load.json
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "face/base/clock.h"
#include "face/base/log.h"
#include "index/local/local_gallery.h"
#include "tests/bench/end_bench.h"
#include "tests/bench/gallery_load_figures.h"
#include "tests/bench/gallery_load_store.h"
#include "tests/bench/raw_enrolments.h"
#include "tests/bench/search_faces.h"
#include "tests/support/process_figures.h"
#include "tests/support/random_embedding.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

constexpr size_t kDimension = 512;
constexpr size_t kNewFaces = 1024;  // enrolled again and again, as other people
constexpr size_t kWriters = 8;      // beside searches
constexpr size_t kWriterCounts[] = {1, 8, 64};
constexpr size_t kDeleters = 32;
constexpr size_t kCancelled = 200;
constexpr size_t kCancelledQueries = 16;  // of a search, so that it takes long enough
// What a template takes at most, on the whole.
constexpr double kBytesOfTemplate = 5.0 * kDimension;
constexpr double kMostBytesOfTemplate = 1.35 * kBytesOfTemplate;
constexpr double kMostSecondsOfMillion = 60.0;

// What is measured after the opening, in this order.
constexpr char kSearches[] = "searches";
constexpr char kEnrolments[] = "enrolments";
constexpr char kDurable[] = "durable";
constexpr char kCancelling[] = "cancelling";
constexpr char kDeletions[] = "deletions";

struct Options {
  bool is_quick = false;
  size_t templates = 0;
  std::string store;
  std::string json;
  std::set<std::string> only;  // empty: all of kParts
  double seconds = 0.0;        // of each phase in each round
  int rounds = 0;
  double upkeep = 5.0;
};

double SecondsSince(steady_clock::time_point begin) {
  return std::chrono::duration<double>(steady_clock::now() - begin).count();
}

size_t Cores() { return std::max<size_t>(1, std::thread::hardware_concurrency()); }

double Resident() { return static_cast<double>(ResidentBytes(::getpid())); }

class LoadBench {
 public:
  // `folder` holds what is written and is removed by the caller.
  LoadBench(const Options& options, fs::path folder)
      : options_(options), folder_(std::move(folder)) {
    std::mt19937_64 random(1);
    for (size_t i = 0; i < kNewFaces; ++i) faces_.push_back(RandomEmbedding(random, kDimension));
    // The first of them are those of any number of rows.
    const SearchFaces known = MakeSearchFaces(2 * kProbes);
    for (const auto& probe : known.probes()) probes_.push_back(UnitOf(probe));
  }

  Status Run(const fs::path& store) {
    FACEGATE_RETURN_IF_ERROR(CopyStore(store, folder_ / "store"));
    FACEGATE_RETURN_IF_ERROR(Open());
    if (IsWanted(kSearches)) FACEGATE_RETURN_IF_ERROR(SearchBesideWriters());
    if (IsWanted(kEnrolments)) FACEGATE_RETURN_IF_ERROR(EnrolBesideSearches());
    if (IsWanted(kDurable)) FACEGATE_RETURN_IF_ERROR(CompareWithRawWrites());
    if (IsWanted(kCancelling)) FACEGATE_RETURN_IF_ERROR(CancelSearches());
    if (IsWanted(kDeletions)) FACEGATE_RETURN_IF_ERROR(Delete());
    return figures_.WriteJson(options_.json);
  }

 private:
  bool IsWanted(const char* part) const {
    return options_.only.empty() || options_.only.contains(part);
  }

  Status Open() {
    const double before = Resident();
    const auto begin = steady_clock::now();
    FACEGATE_ASSIGN_OR_RETURN(gallery_,
                              OpenLocalGallery({.directory = (folder_ / "store").string(),
                                                .upkeep_interval = std::chrono::milliseconds(
                                                    static_cast<int64_t>(options_.upkeep * 1000))},
                                               Clock::System()));
    const double seconds = SecondsSince(begin);
    const auto templates = static_cast<double>(options_.templates);
    figures_.Add({.name = fmt::format("opening a store of {} templates", options_.templates),
                  .value = seconds,
                  .unit = "s",
                  .at_most = kMostSecondsOfMillion * templates / 1e6});
    figures_.Add({.name = "resident bytes of a template after opening",
                  .value = (Resident() - before) / templates,
                  .unit = "B",
                  .at_most = kMostBytesOfTemplate});
    return OkStatus();
  }

  Status SearchOnce() {
    const Embedding& probe = probes_[next_probe_.fetch_add(1) % probes_.size()];
    return gallery_
        ->Search(kLoadCollection, LoadModel(), probe, {.k = 5, .least_score = 0.3, .labels = {}})
        .status();
  }

  Status EnrolOnce(size_t writer) {
    const size_t number = next_name_.fetch_add(1);
    const std::vector<NewTemplate> one{
        {.embedding = faces_[number % faces_.size()], .detector = "none"}};
    return gallery_
        ->Enrol(kLoadCollection, fmt::format("writer-{}-{:07}", writer, number), LoadModel(), one,
                {})
        .status();
  }

  // Times `call` alone and beside `callers` others, in turns, and tells the quantiles of both.
  Status Compare(const std::string& what, const std::string& beside, double most_ratio,
                 const std::function<Status()>& call, size_t callers,
                 const std::function<Status(size_t)>& other) {
    CallTimes alone;
    CallTimes loaded;
    double others = 0.0;
    for (int round = 0; round < options_.rounds; ++round) {
      FACEGATE_RETURN_IF_ERROR(alone.Measure(options_.seconds, call));
      const auto begin = steady_clock::now();
      Callers at_work(callers, other);
      FACEGATE_RETURN_IF_ERROR(loaded.Measure(options_.seconds, call));
      FACEGATE_RETURN_IF_ERROR(at_work.Stop());
      others += static_cast<double>(at_work.calls()) / SecondsSince(begin);
    }
    for (const auto& [times, name] :
         {std::pair(&alone, std::string("idle")), std::pair(&loaded, "beside " + beside)}) {
      for (const int percent : {50, 99}) {
        figures_.Add(
            {.name = fmt::format("{} p{}, {} ({} calls)", what, percent, name, times->size()),
             .value = times->Quantile(percent / 100.0),
             .unit = "ms"});
      }
    }
    figures_.Add({.name = fmt::format("{} p99, beside {} / idle", what, beside),
                  .value = loaded.Quantile(0.99) / alone.Quantile(0.99),
                  .unit = "",
                  .at_most = most_ratio});
    figures_.Add({.name = fmt::format("calls a second of the {} meanwhile", beside),
                  .value = others / options_.rounds,
                  .unit = "1/s"});
    return OkStatus();
  }

  Status SearchBesideWriters() {
    return Compare(
        "identify", fmt::format("{} writers", kWriters), 1.3, [this] { return SearchOnce(); },
        kWriters, [this](size_t writer) { return EnrolOnce(writer); });
  }

  Status EnrolBesideSearches() {
    return Compare(
        "enrol", fmt::format("{} searching callers", Cores()), 2.0, [this] { return EnrolOnce(0); },
        Cores(), [this](size_t) { return SearchOnce(); });
  }

  Status CompareWithRawWrites() {
    FACEGATE_ASSIGN_OR_RETURN(const auto raw, RawEnrolments::Open(folder_ / "raw", faces_));
    for (const size_t writers : kWriterCounts) {
      double ours = 0.0;
      double bare = 0.0;
      for (int round = 0; round < options_.rounds; ++round) {
        FACEGATE_ASSIGN_OR_RETURN(
            const double our_rate,
            RateOf(writers, options_.seconds, [this](size_t writer) { return EnrolOnce(writer); }));
        FACEGATE_ASSIGN_OR_RETURN(
            const double raw_rate,
            RateOf(writers, options_.seconds, [&raw](size_t) { return raw->Write(); }));
        ours += our_rate / options_.rounds;
        bare += raw_rate / options_.rounds;
      }
      const std::string by = fmt::format("{} writer{}", writers, writers == 1 ? "" : "s");
      figures_.Add({.name = "durable enrolments, " + by, .value = ours, .unit = "1/s"});
      figures_.Add({.name = "the same rows by RocksDB alone, " + by, .value = bare, .unit = "1/s"});
      figures_.Add({.name = "enrolments / RocksDB alone, " + by,
                    .value = ours / bare,
                    .unit = "",
                    .at_least = 0.8});
    }
    return OkStatus();
  }

  StatusOr<double> SearchMany(const StopCheck& stop) {
    const auto begin = steady_clock::now();
    FACEGATE_RETURN_IF_ERROR(gallery_
                                 ->Search(kLoadCollection, LoadModel(),
                                          std::span(probes_).first(kCancelledQueries),
                                          {.k = 5, .least_score = 0.3, .labels = {}}, stop)
                                 .status());
    return SecondsSince(begin);
  }

  Status CancelSearches() {
    constexpr size_t kMostTries = 10 * kCancelled;
    double whole = std::numeric_limits<double>::infinity();
    for (int i = 0; i < 3; ++i) {
      FACEGATE_ASSIGN_OR_RETURN(const double seconds, SearchMany({}));
      whole = std::min(whole, seconds);
    }
    std::mt19937_64 random(2);
    std::uniform_real_distribution<double> share(0.1, 0.8);
    CallTimes times;
    for (size_t tries = 0; tries < kMostTries && times.size() < kCancelled; ++tries) {
      const auto stop_at =
          steady_clock::now() + std::chrono::duration_cast<steady_clock::duration>(
                                    std::chrono::duration<double>(whole * share(random)));
      const auto ended = SearchMany([stop_at] {
        return steady_clock::now() < stop_at ? OkStatus()
                                             : Status(StatusCode::kCancelled, "not wanted");
      });
      if (ended.ok()) continue;  // before it asked again
      if (ended.status().code() != StatusCode::kCancelled) return ended.status();
      times.Add(1000 * SecondsSince(stop_at));
    }
    for (const auto& [name, share_of] :
         {std::pair("p50", 0.5), std::pair("p99", 0.99), std::pair("worst", 1.0)}) {
      figures_.Add(
          {.name = fmt::format("a cancelled search ends after, {} of {}", name, times.size()),
           .value = times.Quantile(share_of),
           .unit = "ms",
           .at_most = 5.0});
    }
    return OkStatus();
  }

  Status Delete() {
    const size_t people = options_.templates / 2;
    const size_t removed = people * 9 / 10;
    const double before = Resident();
    const auto begin = steady_clock::now();
    std::atomic<size_t> next{1};
    std::vector<Status> ends(kDeleters);
    {
      std::vector<std::jthread> threads;
      for (Status& end : ends) {
        threads.emplace_back([&] {
          for (size_t person = next++; person <= removed && end.ok(); person = next++) {
            end = gallery_->DeleteIdentity(kLoadCollection, NameOfPerson(person)).status();
          }
        });
      }
    }
    for (const Status& end : ends) FACEGATE_RETURN_IF_ERROR(end);
    figures_.Add({.name = fmt::format("durable deletions of identities, {} callers", kDeleters),
                  .value = static_cast<double>(removed) / SecondsSince(begin),
                  .unit = "1/s"});
    WaitForMemory();
    const double after = Resident();
    figures_.Add({.name = "resident before 90 % are removed", .value = before / 1e6, .unit = "MB"});
    figures_.Add(
        {.name = "resident after it, and after upkeep", .value = after / 1e6, .unit = "MB"});
    figures_.Add({.name = "given back, of what those rows took",
                  .value = (before - after) / (static_cast<double>(2 * removed) * kBytesOfTemplate),
                  .unit = "",
                  .at_least = 0.9});
    return OkStatus();
  }

  // Until upkeep gives no more back.
  void WaitForMemory() const {
    constexpr int kQuiet = 3;
    constexpr int kMostTurns = 60;
    double least = Resident();
    for (int turn = 0, quiet = 0; turn < kMostTurns && quiet < kQuiet; ++turn) {
      std::this_thread::sleep_for(std::chrono::duration<double>(options_.upkeep));
      const double now = Resident();
      quiet = now < 0.99 * least ? 0 : quiet + 1;
      least = std::min(least, now);
    }
  }

  const Options options_;
  const fs::path folder_;
  std::vector<Embedding> faces_;
  std::vector<Embedding> probes_;
  std::unique_ptr<GalleryBackend> gallery_;
  std::atomic<size_t> next_probe_{0};
  std::atomic<size_t> next_name_{0};
  Figures figures_;
};

Status Run(const Options& options) {
  if (!options.json.empty() && !std::ofstream(options.json).good()) {
    return Internal("cannot write " + options.json);
  }
  const TempDir temporary;
  const fs::path cache = options.store.empty() ? temporary.path() : fs::path(options.store);
  FACEGATE_ASSIGN_OR_RETURN(const fs::path store, StoreOfTemplates(cache, options.templates));
  // On the disk of the store.
  const fs::path folder = cache / fmt::format("run-{}", ::getpid());
  const Status ended = LoadBench(options, folder).Run(store);
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  return ended;
}

}  // namespace
}  // namespace facegate

int main(int argc, char** argv) {
  CLI::App app("Measures a gallery of templates of 512 values under load");
  app.footer(
      "examples:\n"
      "  gallery_load_bench --quick\n"
      "  gallery_load_bench --store /var/tmp/gallery-load --json load.json\n"
      "  gallery_load_bench --store /var/tmp/gallery-load --only durable --rounds 20\n"
      "A million templates take three GB of memory and five of the disk. Times of the disk are of\n"
      "the disk that has --store, or the system's temporary folder.");
  facegate::Options options;
  app.add_flag("--quick", options.is_quick, "50,000 templates and shorter rounds: a minute");
  app.add_option("--templates", options.templates, "Instead of 1,000,000 (--quick: 50,000)")
      ->check(CLI::Range(20, 100'000'000));
  app.add_option("--store", options.store,
                 "A folder in which the store of so many templates is kept, and taken again");
  app.add_option("--json", options.json, "A file for the figures");
  app.add_option("--seconds", options.seconds,
                 "Of each measurement in each round, instead of 4 (--quick: 0.7)")
      ->check(CLI::Range(0.001, 1000.0));
  app.add_option("--rounds", options.rounds, "Instead of 5 (--quick: 3)")
      ->check(CLI::Range(1, 1000));
  app.add_option("--only", options.only,
                 "Some of: searches enrolments durable cancelling deletions")
      ->check(CLI::IsMember({facegate::kSearches, facegate::kEnrolments, facegate::kDurable,
                             facegate::kCancelling, facegate::kDeletions}));
  app.add_option("--upkeep", options.upkeep, "Seconds from one upkeep to the next, as a server: 5")
      ->check(CLI::Range(0.01, 1000.0));
  CLI11_PARSE(app, argc, argv);
  if (options.templates == 0) options.templates = options.is_quick ? 50'000 : 1'000'000;
  if (options.seconds == 0.0) options.seconds = options.is_quick ? 0.7 : 4.0;
  if (options.rounds == 0) options.rounds = options.is_quick ? 3 : 5;
  facegate::SetLogLevel(facegate::LogLevel::kWarning);
  return facegate::EndBench("gallery_load_bench", facegate::Run(options));
}
