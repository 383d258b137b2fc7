// Measures what it costs to take things away from a large gallery.
//
//   erasure_bench labels      one label of another identity removed each second: bytes that the
//                             process writes until the last one is gone from the files
//   erasure_bench deletions   identities deleted by six callers: how many in the first second and
//                             in the last
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "face/base/check.h"
#include "face/base/clock.h"
#include "face/base/log.h"
#include "index/local/local_gallery.h"
#include "tests/support/random_embedding.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

using Seconds = std::chrono::duration<double>;
using std::chrono::steady_clock;

constexpr int kSize = 128;
constexpr char kCollection[] = "people";

struct Options {
  size_t templates = 200'000;
  size_t templates_of_identity = 2;
  int changes = 100;
  size_t deletions = 24'000;
  int erase_delay_seconds = 0;  // 0: the gallery's own
};

ModelKey BenchModel() {
  return {.model_digest = std::string(64, 'a'), .preprocessing_digest = std::string(64, 'b')};
}

std::string NameOf(size_t identity) { return fmt::format("person-{:06}", identity); }

// Open, and filled; what the filling left to do is done.
class FilledGallery {
 public:
  explicit FilledGallery(const Options& options)
      : identities_(options.templates / options.templates_of_identity) {
    LocalGalleryOptions open{.directory = directory()};
    if (options.erase_delay_seconds > 0) {
      open.erase_delay = std::chrono::seconds(options.erase_delay_seconds);
    }
    auto opened = OpenLocalGallery(open, Clock::System());
    FACEGATE_CHECK(opened.ok());
    gallery_ = *std::move(opened);
    FACEGATE_CHECK(gallery_->CreateCollection(kCollection, BenchModel(), kSize, {}).ok());
    Fill(options.templates_of_identity);
    FACEGATE_CHECK(gallery_->Compact().ok());
  }

  GalleryBackend& gallery() { return *gallery_; }
  size_t identities() const { return identities_; }
  std::string directory() const { return dir_.File("store"); }

 private:
  void Fill(size_t templates_of_identity) {
    constexpr size_t kWriters = 32;
    std::vector<std::jthread> threads;
    for (size_t t = 0; t < kWriters; ++t) {
      threads.emplace_back([this, t, templates_of_identity] {
        std::mt19937_64 random(t);
        for (size_t i = t; i < identities_; i += kWriters) {
          std::vector<NewTemplate> templates;
          for (size_t n = 0; n < templates_of_identity; ++n) {
            templates.push_back({.embedding = RandomEmbedding(random, kSize),
                                 .detector = "none",
                                 .detection_score = 0.0f});
          }
          FACEGATE_CHECK(gallery_->Enrol(kCollection, NameOf(i), BenchModel(), templates, {}).ok());
        }
      });
    }
  }

  const size_t identities_;
  TempDir dir_;
  std::unique_ptr<GalleryBackend> gallery_;
};

// A figure of /proc/self/io.
uint64_t ProcessIo(const std::string& name) {
  std::ifstream file("/proc/self/io");
  std::string key;
  uint64_t value = 0;
  while (file >> key >> value) {
    if (key == name + ":") return value;
  }
  FACEGATE_CHECK(false);
  return 0;
}

size_t FilesWith(const std::string& directory, const std::string& bytes) {
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    std::error_code gone;  // by a compaction
    const uint64_t size = entry.file_size(gone);
    if (gone) continue;
    std::string content(size, '\0');
    std::ifstream file(entry.path(), std::ios::binary);
    file.read(content.data(), static_cast<std::streamsize>(content.size()));
    files += content.find(bytes) != std::string::npos ? 1 : 0;
  }
  return files;
}

void SetLabel(Gallery& gallery, size_t identity, const Labels& labels) {
  FACEGATE_CHECK(gallery
                     .UpdateLabels(kCollection, NameOf(identity),
                                   {.replace_all = true, .set = labels, .remove = {}}, "")
                     .ok());
}

// Waits until the store's own compactions after the filling are done.
void WaitUntilQuiet() {
  constexpr int kQuietSeconds = 5;
  uint64_t written = ProcessIo("write_bytes");
  for (int quiet = 0; quiet < kQuietSeconds; ++quiet) {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    if (const uint64_t now = ProcessIo("write_bytes"); now != written) {
      written = now;
      quiet = 0;
    }
  }
}

void BenchLabels(const Options& options) {
  const std::string secret = "a-label-to-be-removed-";
  FilledGallery filled(options);
  std::mt19937_64 random(1);
  std::vector<size_t> labelled;
  for (int i = 0; i < options.changes; ++i) {
    labelled.push_back(random() % filled.identities());
    SetLabel(filled.gallery(), labelled.back(), {{"note", "something else before"}});
    SetLabel(filled.gallery(), labelled.back(), {{"note", fmt::format("{}{}", secret, i)}});
  }
  FACEGATE_CHECK(filled.gallery().Compact().ok());
  WaitUntilQuiet();
  fmt::print("files with the labels before: {}\n", FilesWith(filled.directory(), secret));
  const uint64_t written = ProcessIo("write_bytes");
  const uint64_t passed = ProcessIo("wchar");
  auto next = steady_clock::now();
  for (const size_t identity : labelled) {
    SetLabel(filled.gallery(), identity, {});
    std::this_thread::sleep_until(next += std::chrono::seconds(1));
  }
  const auto last = steady_clock::now();
  while (FilesWith(filled.directory(), secret) > 0) {
    std::this_thread::sleep_for(std::chrono::seconds(2));
  }
  fmt::print(
      "{} label changes of {} identities with {} templates: {:.2f} MB written to the disk, {:.2f} "
      "MB by calls; the last label was gone after {:.0f} s\n",
      options.changes, filled.identities(), options.templates,
      static_cast<double>(ProcessIo("write_bytes") - written) / 1e6,
      static_cast<double>(ProcessIo("wchar") - passed) / 1e6,
      Seconds(steady_clock::now() - last).count());
}

void BenchDeletions(const Options& options) {
  constexpr int kCallers = 6;
  constexpr size_t kMostSeconds = 3600;
  FilledGallery filled(options);
  const size_t count = std::min(options.deletions, filled.identities());
  std::vector<std::atomic<size_t>> in_second(kMostSeconds);
  std::atomic<size_t> next{0};
  const auto begin = steady_clock::now();
  {
    std::vector<std::jthread> callers;
    for (int t = 0; t < kCallers; ++t) {
      callers.emplace_back([&] {
        for (size_t i = next++; i < count; i = next++) {
          FACEGATE_CHECK(filled.gallery().DeleteIdentity(kCollection, NameOf(i)).ok());
          const auto second = static_cast<size_t>(Seconds(steady_clock::now() - begin).count());
          ++in_second[std::min(second, kMostSeconds - 1)];
        }
      });
    }
  }
  const double seconds = Seconds(steady_clock::now() - begin).count();
  const size_t whole = static_cast<size_t>(seconds);
  fmt::print("{} deletions in {:.1f} s:", count, seconds);
  for (size_t s = 0; s < whole; ++s) fmt::print(" {}", in_second[s].load());
  fmt::print("\n");
  if (whole < 2) return;
  fmt::print("last second / first second: {:.2f}\n",
             static_cast<double>(in_second[whole - 1]) / static_cast<double>(in_second[0]));
}

}  // namespace
}  // namespace facegate

int main(int argc, char** argv) {
  CLI::App app("Times and weighs what takes things away from a gallery");
  facegate::Options options;
  app.add_option("--templates", options.templates)->check(CLI::Range(1, 100'000'000));
  app.add_option("--templates-of-identity", options.templates_of_identity)
      ->check(CLI::Range(1, 1000));
  app.add_option("--changes", options.changes, "Labels that are removed, one a second")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--deletions", options.deletions)->check(CLI::Range(1, 100'000'000));
  app.add_option("--erase-delay", options.erase_delay_seconds, "Seconds; 0: as a server has it")
      ->check(CLI::Range(0, 1'000'000));
  app.require_subcommand(1);
  app.fallthrough();
  const CLI::App* labels = app.add_subcommand("labels", "One label removed each second");
  app.add_subcommand("deletions", "Identities deleted by six callers");
  CLI11_PARSE(app, argc, argv);
  facegate::SetLogLevel(facegate::LogLevel::kWarning);
  if (labels->parsed()) {
    facegate::BenchLabels(options);
  } else {
    facegate::BenchDeletions(options);
  }
  return 0;
}
