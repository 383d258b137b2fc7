#include "trainer/inspect/print_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "face/base/counted.h"
#include "face/base/shown_text.h"

namespace facegate {
namespace {

constexpr size_t kShown = 20;
constexpr size_t kBarWidth = 40;

std::string SizeText(const std::pair<int, int>& size) {
  return fmt::format("{}x{}", size.first, size.second);
}

std::string BucketText(const PhotosPerIdentity::Bucket& bucket) {
  if (bucket.low == bucket.high) return std::to_string(bucket.low);
  if (bucket.high == SIZE_MAX) return fmt::format("{}+", bucket.low);
  return fmt::format("{}-{}", bucket.low, bucket.high);
}

// "112x112 (90), 96x112 (10)"; the first few of them.
template <typename Counts, typename Text>
std::string Listing(const Counts& counts, const Text& text) {
  constexpr size_t kMost = 5;
  std::string listing;
  for (size_t i = 0; i < counts.size() && i < kMost; ++i) {
    if (i > 0) listing += ", ";
    listing += fmt::format("{} ({})", text(counts[i].first), counts[i].second);
  }
  if (counts.size() > kMost) listing += fmt::format(", {} more", counts.size() - kMost);
  return listing;
}

class TextReport {
 public:
  TextReport(const SetReport& report, const PhotoSource& source, std::ostream& out)
      : report_(report), source_(source), out_(out) {}

  void Print(const std::vector<Finding>& findings) {
    Figures();
    Histogram();
    Pictures();
    Names();
    Groups("same file, several identities", true, true);
    Groups("nearly the same, several identities", false, true);
    ModelView();
    Verdict(findings);
  }

 private:
  void Row(std::string_view name, const std::string& value) {
    out_ << fmt::format("{:<20}{}\n", name, value);
  }

  void Figures() {
    Row("form", report_.form);
    Row("photos", std::to_string(report_.photos));
    Row("identities", std::to_string(report_.identities));
    const PhotosPerIdentity& per = report_.per_identity;
    Row("photos an identity", fmt::format("least {}, median {:g}, mean {:.1f}, most {}", per.least,
                                          per.median, per.mean, per.most));
  }

  void Histogram() {
    const auto& histogram = report_.per_identity.histogram;
    size_t most = 1;
    for (const auto& bucket : histogram) most = std::max(most, bucket.identities);
    for (const auto& bucket : histogram) {
      if (bucket.identities == 0) continue;
      // Whatever is there is seen.
      const size_t width = std::max<size_t>(1, bucket.identities * kBarWidth / most);
      out_ << fmt::format("{:>18}  {} {}\n", BucketText(bucket), std::string(width, '#'),
                          bucket.identities);
    }
  }

  void Pictures() {
    const size_t readable = report_.photos - report_.unreadable.size();
    Row("sizes", Listing(report_.sizes, SizeText));
    Row("formats", Listing(report_.formats, Name));
    Row("colour", fmt::format("{} coloured, {} grey", readable - report_.grey, report_.grey));
    Row("mean R G B",
        fmt::format("{:.1f} {:.1f} {:.1f}", report_.mean[0], report_.mean[1], report_.mean[2]));
    Row("deviation R G B", fmt::format("{:.1f} {:.1f} {:.1f}", report_.deviation[0],
                                       report_.deviation[1], report_.deviation[2]));
    if (report_.labels.has_value()) {
      const LabelNumbers& labels = *report_.labels;
      std::string text =
          fmt::format("{} to {}, {} missing", labels.first, labels.last, labels.missing);
      if (labels.missing > 0) {
        text += fmt::format(" ({}{})", fmt::join(labels.first_missing, " "),
                            labels.missing > labels.first_missing.size() ? " ..." : "");
      }
      Row("labels", text);
    }
    if (report_.pack_digest.has_value()) Row("sha256", *report_.pack_digest + " (checked)");
    const auto duplicates = [&](std::string_view name, bool across) {
      const DuplicateCount same = CountDuplicates(report_, true, across);
      const DuplicateCount near = CountDuplicates(report_, false, across);
      const auto text = [](const DuplicateCount& count) {
        return count.groups == 0
                   ? std::string("none")
                   : fmt::format("{} with {}", Counted(count.groups, "picture", "pictures"),
                                 Counted(count.copies, "copy", "copies"));
      };
      Row(name, fmt::format("byte for byte: {}; nearly: {}", text(same), text(near)));
    };
    duplicates("within identities", false);
    duplicates("across identities", true);
    Row("one photo alone", Counted(report_.per_identity.single, "identity", "identities"));
  }

  // A line of a list. Names in it are the set's own.
  void Item(std::string_view text) { out_ << "  " << ShownLine(text) << "\n"; }

  // The rest of a list that was cut.
  void More(size_t count) {
    if (count > kShown)
      out_ << fmt::format("  ... and {} more (all with --json)\n", count - kShown);
  }

  void Names() {
    if (!report_.unreadable.empty()) {
      out_ << fmt::format("\ncannot be read ({}):\n", report_.unreadable.size());
      for (size_t i = 0; i < report_.unreadable.size() && i < kShown; ++i) {
        const UnreadablePhoto& photo = report_.unreadable[i];
        // Most reasons name the photo already.
        const bool named = photo.reason.find(photo.name) != std::string::npos;
        Item(named ? photo.reason : fmt::format("{}: {}", photo.name, photo.reason));
      }
      More(report_.unreadable.size());
    }
    if (!report_.empty_identities.empty()) {
      out_ << fmt::format("\nfolders without photos ({}):\n", report_.empty_identities.size());
      for (size_t i = 0; i < report_.empty_identities.size() && i < kShown; ++i) {
        Item(report_.empty_identities[i]);
      }
      More(report_.empty_identities.size());
    }
  }

  void Groups(std::string_view heading, bool identical, bool across) {
    const size_t count = CountDuplicates(report_, identical, across).groups;
    if (count == 0) return;
    out_ << fmt::format("\n{} ({}):\n", heading, count);
    size_t shown = 0;
    for (const DuplicateGroup& group : report_.duplicates) {
      if (group.identical != identical || group.across_identities != across) continue;
      if (shown++ == kShown) break;
      std::string line;
      for (const size_t photo : group.photos) {
        line += (line.empty() ? "" : "  ") + source_.short_name(photo);
      }
      Item(line);
    }
    More(count);
  }

  // The first lines of a list with its heading.
  template <typename Items, typename Text>
  void List(std::string_view heading, const Items& items, const Text& text) {
    if (items.empty()) return;
    out_ << fmt::format("\n{} ({}):\n", heading, items.size());
    for (size_t i = 0; i < items.size() && i < kShown; ++i) Item(text(items[i]));
    More(items.size());
  }

  void ModelView() {
    if (!report_.model_view.has_value()) return;
    const LabelNoise& noise = report_.model_view->noise;
    const std::vector<std::string>& names = source_.classes();
    out_ << fmt::format("\n{} compared {} of {} photos\n", report_.model_view->model,
                        report_.model_view->compared, report_.photos);
    List("probably of another identity, by the model", noise.doubted, [&](const DoubtedLabel& one) {
      return fmt::format("{}: cosine {:.2f} to its own, {:.2f} to {}",
                         source_.short_name(one.photo), one.own, one.other, names[one.nearest]);
    });
    List("probably one person under two names", noise.alike, [&](const AlikeIdentities& one) {
      return fmt::format("{} and {}: cosine {:.2f}", names[one.first], names[one.second],
                         one.cosine);
    });
    List("probably two people under one name", noise.mixed, [&](const MixedIdentity& one) {
      return fmt::format("{}: {} photos apart from the others, such as {}", names[one.identity],
                         one.smaller.size(), source_.short_name(one.smaller.front()));
    });
  }

  void Verdict(const std::vector<Finding>& findings) {
    out_ << "\n";
    if (findings.empty()) out_ << "verdict: nothing to do; the set can be trained on.\n";
    for (const Finding& finding : findings) {
      out_ << FindingName(finding.weight) << ": " << ShownLine(finding.text) << "\n";
    }
    if (findings.empty()) return;
    const bool bad = findings.front().weight == FindingWeight::kError;
    out_ << (bad ? "verdict: fix the errors before training.\n"
                 : "verdict: the set can be trained on.\n");
  }

  const SetReport& report_;
  const PhotoSource& source_;
  std::ostream& out_;
};

nlohmann::ordered_json JsonOf(const PhotosPerIdentity& per) {
  nlohmann::ordered_json json{
      {"least", per.least}, {"median", per.median}, {"mean", per.mean},
      {"most", per.most},   {"single", per.single}, {"histogram", nlohmann::ordered_json::array()}};
  for (const auto& bucket : per.histogram) {
    nlohmann::ordered_json one{{"from", bucket.low}, {"to", nullptr}};
    if (bucket.high != SIZE_MAX) one["to"] = bucket.high;
    one["identities"] = bucket.identities;
    json["histogram"].push_back(std::move(one));
  }
  return json;
}

nlohmann::ordered_json JsonOf(const DuplicateGroup& group, const PhotoSource& source) {
  nlohmann::ordered_json json{{"identical", group.identical},
                              {"across_identities", group.across_identities},
                              {"photos", nlohmann::ordered_json::array()}};
  for (const size_t photo : group.photos) {
    json["photos"].push_back(
        {{"photo", source.name(photo)}, {"identity", source.classes()[source.label(photo)]}});
  }
  return json;
}

nlohmann::ordered_json JsonOf(const SetReport::ModelView& view, const PhotoSource& source) {
  const std::vector<std::string>& names = source.classes();
  using Json = nlohmann::ordered_json;
  Json json{{"model", view.model},
            {"compared", view.compared},
            {"foreign_limit", view.noise.foreign_limit},
            {"alike_limit", view.noise.alike_limit},
            {"doubted", Json::array()},
            {"alike", Json::array()},
            {"mixed", Json::array()}};
  for (const DoubtedLabel& one : view.noise.doubted) {
    json["doubted"].push_back({{"photo", source.name(one.photo)},
                               {"identity", names[source.label(one.photo)]},
                               {"nearest", names[one.nearest]},
                               {"own_cosine", one.own},
                               {"nearest_cosine", one.other}});
  }
  for (const AlikeIdentities& one : view.noise.alike) {
    json["alike"].push_back(
        {{"first", names[one.first]}, {"second", names[one.second]}, {"cosine", one.cosine}});
  }
  for (const MixedIdentity& one : view.noise.mixed) {
    Json photos = Json::array();
    for (const size_t photo : one.smaller) photos.push_back(source.name(photo));
    json["mixed"].push_back({{"identity", names[one.identity]},
                             {"cosine", one.cosine},
                             {"photos_apart", std::move(photos)}});
  }
  return json;
}

}  // namespace

void PrintSetReport(const SetReport& report, const PhotoSource& source,
                    const std::vector<Finding>& findings, std::ostream& out) {
  TextReport(report, source, out).Print(findings);
}

void PrintSetReportJson(const SetReport& report, const PhotoSource& source,
                        const std::vector<Finding>& findings, std::ostream& out) {
  nlohmann::ordered_json json;
  json["form"] = report.form;
  json["photos"] = report.photos;
  json["identities"] = report.identities;
  json["photos_per_identity"] = JsonOf(report.per_identity);
  json["unreadable"] = nlohmann::ordered_json::array();
  for (const UnreadablePhoto& photo : report.unreadable) {
    json["unreadable"].push_back({{"photo", photo.name}, {"reason", photo.reason}});
  }
  json["remarks"] = source.remarks();
  json["empty_identities"] = report.empty_identities;
  json["labels"] = nullptr;
  if (report.labels.has_value()) {
    json["labels"] = {{"first", report.labels->first},
                      {"last", report.labels->last},
                      {"missing", report.labels->missing},
                      {"first_missing", report.labels->first_missing}};
  }
  json["pack_sha256"] = nullptr;
  if (report.pack_digest.has_value()) json["pack_sha256"] = *report.pack_digest;
  json["sizes"] = nlohmann::ordered_json::array();
  for (const auto& [size, count] : report.sizes) {
    json["sizes"].push_back({{"width", size.first}, {"height", size.second}, {"photos", count}});
  }
  json["formats"] = nlohmann::ordered_json::object();
  for (const auto& [format, count] : report.formats) {
    json["formats"][std::string(Name(format))] = count;
  }
  json["grey"] = report.grey;
  json["blue_skin"] = report.blue_skin;
  json["mean_rgb"] = report.mean;
  json["deviation_rgb"] = report.deviation;
  json["duplicates"] = nlohmann::ordered_json::array();
  for (const DuplicateGroup& group : report.duplicates) {
    json["duplicates"].push_back(JsonOf(group, source));
  }
  json["model_view"] = nullptr;
  if (report.model_view.has_value()) json["model_view"] = JsonOf(*report.model_view, source);
  json["findings"] = nlohmann::ordered_json::array();
  for (const Finding& finding : findings) {
    json["findings"].push_back({{"weight", FindingName(finding.weight)}, {"text", finding.text}});
  }
  // Names may hold bytes that are not UTF-8.
  out << json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

}  // namespace facegate
