// Searches on a card: what they take through an index and by the card alone, beside FAISS's own
// flat index and the time in which the card could read all rows once, which no search for one query
// can beat; and searches while rows come and go. A line of JSON for each, and a file with all of
// them, for deploy/gpu-check.sh.
#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "face/base/device.h"
#include "face/base/module.h"
#include "tests/bench/end_bench.h"
#include "tests/gpu/plain_search.h"
#include "tests/gpu/search_timing.h"

namespace facegate {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string device = "cuda:0";
  std::string json;  // a file
  bool is_quick = false;
  std::vector<size_t> rows{1'000'000, 10'000'000};
  SearchTiming timing;
};

// What was measured so far, which a later failure does not cost.
class Notes {
 public:
  explicit Notes(std::string path) : path_(std::move(path)), all_({{"rows", Json::array()}}) {}

  void Set(const char* name, Json value) {
    std::cout << Json{{name, value}}.dump() << std::endl;
    all_[name] = std::move(value);
    Write();
  }
  void Add(Json row) {
    std::cout << row.dump() << std::endl;
    all_["rows"].push_back(std::move(row));
    Write();
  }

 private:
  void Write() const {
    if (path_.empty()) return;
    std::ofstream(path_) << all_.dump(1) << '\n';
  }

  const std::string path_;
  Json all_;
};

StatusOr<std::unique_ptr<PlainSearch>> OpenPlain(int number) {
  FACEGATE_ASSIGN_OR_RETURN(const auto entry, OpenModule(kPlainSearchModule));
  return reinterpret_cast<OpenPlainSearch*>(entry)(number);
}

Status Run(const Options& options) {
  const SearchTiming& timing = options.timing;
  Notes notes(options.json);
  const NoteRow note = [&](Json row) { notes.Add(std::move(row)); };
  {
    FACEGATE_ASSIGN_OR_RETURN(const auto card, OpenCard(timing.card));
    notes.Set("card", card->name());
  }
  notes.Set("dimension", timing.dimension);
  std::unique_ptr<PlainSearch> plain;
  if (timing.card >= 0) {
    FACEGATE_ASSIGN_OR_RETURN(plain, OpenPlain(timing.card));
    FACEGATE_ASSIGN_OR_RETURN(const double rate, plain->CopyRate());
    notes.Set("copy_bytes_per_s", rate);
  }
  FACEGATE_RETURN_IF_ERROR(TimeIndex(timing, options.rows.front(), note));
  for (const size_t rows : options.rows) {
    FACEGATE_RETURN_IF_ERROR(TimeCard(timing, rows, note));
    if (plain == nullptr) continue;
    for (const bool in_halves : {true, false}) {
      const Status status = TimePlain(timing, *plain, rows, in_halves, note);
      if (status.code() != StatusCode::kResourceExhausted) FACEGATE_RETURN_IF_ERROR(status);
    }
  }
  return OkStatus();
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app(
      "Times searches on a card: a line of JSON for each number of rows and queries.\n"
      "Example: gpu_search_bench --device cuda:0 --rows 1000000 --json search.json");
  app.add_option("--device", options.device, "cuda:N; cpu: a stand-in, to try the program itself")
      ->capture_default_str();
  app.add_option("--rows", options.rows, "Rows; through an index the first number alone")
      ->check(CLI::Range(1, 100'000'000))
      ->capture_default_str();
  app.add_option("--batch", options.timing.batches, "Queries of one search")
      ->check(CLI::Range(size_t{1}, SearchCard::kMostQueries))
      ->capture_default_str();
  app.add_option("--seconds", options.timing.seconds, "Time of each measurement")
      ->check(CLI::Range(0.01, 3600.0))
      ->capture_default_str();
  app.add_option("--json", options.json, "A file for all of it");
  app.add_flag("--quick", options.is_quick, "As little as possible, to try the program itself");
  CLI11_PARSE(app, argc, argv);
  if (options.is_quick) {
    options.rows = {5'000, 10'000};
    options.timing.seconds = 0.05;
  }
  // Whether there is such a card is told when it is opened.
  const CudaMachine any{
      .cards = std::vector<CudaCard>(64, {.name = "", .capability = kLeastCapability})};
  const auto device = ChooseDevice(options.device, any);
  if (!device.ok()) return EndBench("gpu_search_bench", device.status());
  options.timing.card = device->card;
  return EndBench("gpu_search_bench", Run(options));
}

}  // namespace
}  // namespace facegate

int main(int argc, char** argv) { return facegate::Main(argc, argv); }
