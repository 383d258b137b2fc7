// Measures what the policies of scores are worth on the open set: people are enrolled in a gallery
// with some photos each, their other photos are searched for, and so are strangers. A row for each
// policy: rank-1, TPIR at an FPIR of 1 % and 5 %, and how often a stranger is taken for one
// enrolled person at the cosine that is right for one photo each.

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "clients/cli/progress.h"
#include "clients/cli/table.h"
#include "face/base/clock.h"
#include "face/base/random.h"
#include "index/local/local_gallery.h"
#include "tests/support/temp_dir.h"
#include "trainer/embeddings/embedding_file.h"
#include "trainer/measure/embedding_set.h"
#include "trainer/measure/photo_person.h"

namespace facegate {
namespace {

constexpr char kCollection[] = "open-set";

struct BenchOptions {
  std::string data{};
  std::string embeddings{};
  std::string order{};
  int sets = 2;  // how often the photos are in the file: with mirror images
  std::vector<size_t> photos = {1, 3, 5};
  int draws = 4;
};

struct Policy {
  const char* name;
  Fusion fusion;
  bool cohort;
};
constexpr Policy kPolicies[] = {{"best template", Fusion::kBestTemplate, false},
                                {"mean template", Fusion::kMeanTemplate, false},
                                {"best template, cohort", Fusion::kBestTemplate, true},
                                {"mean template, cohort", Fusion::kMeanTemplate, true}};

// Says who is enrolled with which photos, and who is searched for.
struct Draw {
  std::vector<std::vector<size_t>> enrolled{};      // photos of each person
  std::vector<std::pair<size_t, size_t>> probes{};  // a photo, and the person
  std::vector<size_t> strangers{};
};

struct Figures {
  double rank_one = 0.0;
  double at_one_percent = 0.0;
  double at_five_percent = 0.0;
  double false_matches = 0.0;  // of a stranger with a person, as a multiple of kFalseMatchRate
};
constexpr double kFalseMatchRate = 1e-3;
// Strangers whose scores with everybody are looked at.
constexpr size_t kComparedWithAll = 300;

Draw DrawPeople(const EmbeddingSet& set, size_t photos, uint64_t seed) {
  std::map<std::string_view, std::vector<size_t>> people;
  for (size_t i = 0; i < set.size(); ++i) {
    if (set.has_face(i)) people[PersonOf(set.names()[i])].push_back(i);
  }
  Draw draw;
  uint64_t person = 0;
  for (auto& [name, own] : people) {
    if (own.size() == 1) draw.strangers.push_back(own.front());
    if (own.size() <= photos) continue;
    RandomStream random(seed, person++);
    for (size_t i = own.size() - 1; i > 0; --i) std::swap(own[i], own[random.Below(i + 1)]);
    for (size_t i = photos; i < own.size(); ++i)
      draw.probes.emplace_back(own[i], draw.enrolled.size());
    draw.enrolled.emplace_back(own.begin(), own.begin() + static_cast<std::ptrdiff_t>(photos));
  }
  return draw;
}

StatusOr<Embedding> EmbeddingOf(const EmbeddingSet& set, size_t photo) {
  const std::span<const double> row = set.row(photo);
  const std::vector<float> values(row.begin(), row.end());
  return Embedding::Normalize(values);
}

// The value that `share` of `values` are above; they are sorted.
double QuantileFromAbove(std::vector<double>& values, double share) {
  const auto place = static_cast<size_t>(share * static_cast<double>(values.size()));
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(std::min(place, values.size() - 1));
  std::nth_element(values.begin(), at, values.end(), std::greater<>());
  return *at;
}

class OpenSet {
 public:
  OpenSet(const EmbeddingSet& set, Draw draw) : set_(set), draw_(std::move(draw)) {}

  // The threshold follows from the strangers' scores with everybody, with one photo of each person.
  double SinglePhotoThreshold() const {
    std::vector<double> cosines;
    const auto looked_at =
        std::span(draw_.strangers).first(std::min(kComparedWithAll, draw_.strangers.size()));
    for (const size_t stranger : looked_at) {
      for (const auto& own : draw_.enrolled) cosines.push_back(set_.Score(stranger, own.front()));
    }
    return QuantileFromAbove(cosines, kFalseMatchRate);
  }

  StatusOr<Figures> Measure(const Policy& policy, double threshold, cli::Progress& progress) const {
    const TempDir dir;
    FACEGATE_ASSIGN_OR_RETURN(const auto gallery,
                              OpenLocalGallery({.directory = dir.File("store")}, Clock::System()));
    FACEGATE_RETURN_IF_ERROR(Enrol(policy, *gallery));
    Figures figures;
    std::vector<double> strangers;
    size_t above = 0;
    size_t compared = 0;
    for (const size_t stranger : draw_.strangers) {
      const bool with_all = strangers.size() < kComparedWithAll;
      FACEGATE_ASSIGN_OR_RETURN(const auto found,
                                Search(*gallery, stranger, with_all ? draw_.enrolled.size() : 1));
      strangers.push_back(found.front().score);
      progress.Advance(true);
      if (!with_all) continue;
      compared += found.size();
      for (const Candidate& one : found) above += one.score >= threshold ? 1 : 0;
    }
    figures.false_matches =
        static_cast<double>(above) / kFalseMatchRate / static_cast<double>(compared);
    const double one = QuantileFromAbove(strangers, 0.01);
    const double five = QuantileFromAbove(strangers, 0.05);
    for (const auto& [probe, person] : draw_.probes) {
      FACEGATE_ASSIGN_OR_RETURN(const auto found, Search(*gallery, probe, 1));
      progress.Advance(true);
      if (found.front().identity != fmt::format("{}", person)) continue;
      figures.rank_one += 1;
      if (found.front().score > one) figures.at_one_percent += 1;
      if (found.front().score > five) figures.at_five_percent += 1;
    }
    for (double* const count :
         {&figures.rank_one, &figures.at_one_percent, &figures.at_five_percent}) {
      *count *= 100.0 / static_cast<double>(draw_.probes.size());
    }
    return figures;
  }

  const Draw& draw() const { return draw_; }

 private:
  static ModelKey Model() {
    return {.model_digest = std::string(64, 'a'), .preprocessing_digest = std::string(64, 'b')};
  }
  Status Enrol(const Policy& policy, Gallery& gallery) const {
    FACEGATE_RETURN_IF_ERROR(
        gallery
            .CreateCollection(kCollection, Model(), static_cast<int>(set_.dimension()),
                              {.fusion = policy.fusion, .cohort = policy.cohort})
            .status());
    for (size_t person = 0; person < draw_.enrolled.size(); ++person) {
      std::vector<NewTemplate> templates;
      for (const size_t photo : draw_.enrolled[person]) {
        FACEGATE_ASSIGN_OR_RETURN(Embedding embedding, EmbeddingOf(set_, photo));
        templates.push_back({.embedding = std::move(embedding),
                             .detector = "none",
                             .source = TemplateSource::kEmbedding});
      }
      FACEGATE_RETURN_IF_ERROR(
          gallery.Enrol(kCollection, fmt::format("{}", person), Model(), templates, {}).status());
    }
    return OkStatus();
  }
  StatusOr<std::vector<Candidate>> Search(const Gallery& gallery, size_t photo, size_t k) const {
    FACEGATE_ASSIGN_OR_RETURN(const Embedding probe, EmbeddingOf(set_, photo));
    return gallery.Search(kCollection, Model(), probe, {.k = k});
  }

  const EmbeddingSet& set_;
  const Draw draw_;
};

Status MeasurePhotos(const EmbeddingSet& set, const BenchOptions& options, size_t photos,
                     cli::Table& table) {
  std::vector<Figures> sums(std::size(kPolicies));
  size_t people = 0;
  for (int seed = 0; seed < options.draws; ++seed) {
    const OpenSet open(set, DrawPeople(set, photos, static_cast<uint64_t>(seed)));
    people = open.draw().enrolled.size();
    if (people == 0) return InvalidArgument(fmt::format("nobody has more than {} photos", photos));
    const double threshold = open.SinglePhotoThreshold();
    cli::Progress progress(
        std::cerr, ::isatty(STDERR_FILENO) == 1,
        std::size(kPolicies) * (open.draw().strangers.size() + open.draw().probes.size()));
    for (size_t i = 0; i < std::size(kPolicies); ++i) {
      FACEGATE_ASSIGN_OR_RETURN(const Figures one, open.Measure(kPolicies[i], threshold, progress));
      sums[i].rank_one += one.rank_one / options.draws;
      sums[i].at_one_percent += one.at_one_percent / options.draws;
      sums[i].at_five_percent += one.at_five_percent / options.draws;
      sums[i].false_matches += one.false_matches / options.draws;
    }
    progress.Finish();
  }
  for (size_t i = 0; i < std::size(kPolicies); ++i) {
    table.AddRow({std::to_string(photos), std::to_string(people), kPolicies[i].name,
                  fmt::format("{:.2f}", sums[i].rank_one),
                  fmt::format("{:.2f}", sums[i].at_one_percent),
                  fmt::format("{:.2f}", sums[i].at_five_percent),
                  fmt::format("{:.2f}", sums[i].false_matches)});
  }
  return OkStatus();
}

int Main(const BenchOptions& options) {
  const std::string folder = options.data + "/lfw/";
  const bool own = !options.embeddings.empty();
  const auto set = ReadEmbeddingSet(own ? options.embeddings : folder + "embeddings_seed002.f32",
                                    own ? options.order : folder + "order.txt", MirrorRule::kPlain,
                                    options.sets, NoFaceRule::kMiss);
  if (!set.ok()) {
    std::cerr << MessageOf(set.status()) << "\n";
    return 2;
  }
  constexpr auto kRight = cli::Table::Align::kRight;
  cli::Table table({{"PHOTOS", kRight},
                    {"PEOPLE", kRight},
                    {"POLICY"},
                    {"RANK-1 %", kRight},
                    {"TPIR % AT FPIR 1 %", kRight},
                    {"AT 5 %", kRight},
                    {"FMR / 1E-3", kRight}});
  for (const size_t photos : options.photos) {
    const Status status = MeasurePhotos(*set, options, photos, table);
    if (!status.ok()) {
      std::cerr << MessageOf(status) << "\n";
      return 1;
    }
  }
  std::cout << fmt::format(
      "Open set, means of {} draws: so many photos of each person are enrolled, those left are "
      "probes, people\nwith one photo strangers. FMR: of a stranger with a person, at the cosine "
      "at "
      "which it is 1e-3 with one photo.\n\n",
      options.draws);
  table.Print(std::cout);
  return 0;
}

}  // namespace
}  // namespace facegate

int main(int argc, char** argv) {
  CLI::App app(
      "What Collection.fusion and cohort_normalisation are worth: TPIR on the open set, through a "
      "gallery.\n"
      "Example: score_policy_bench --data ~/facegate-data\n"
      "         score_policy_bench --embeddings e.npy --order e.names.txt --sets 1");
  facegate::BenchOptions options;
  app.add_option("--data", options.data, "Folder with lfw/embeddings_seed002.f32 and order.txt")
      ->envname("FACEGATE_DATA");
  app.add_option("--embeddings", options.embeddings, "Embeddings of photos PERSON/PHOTO");
  app.add_option("--order", options.order, "The photo of each row");
  app.add_option("--sets", options.sets, "2 where mirror images follow")
      ->check(CLI::Range(1, 2))
      ->capture_default_str();
  app.add_option("--photos", options.photos, "Photos that are enrolled of each person")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--draws", options.draws, "Draws that are averaged")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return facegate::Main(options);
}
