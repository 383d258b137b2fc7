#include "trainer/inspect/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "face/base/counted.h"
#include "trainer/photos/dataset.h"

namespace facegate {
namespace {

constexpr size_t kFewIdentities = 1000;
constexpr double kUneven = 20.0;     // the most photos of an identity to the median
constexpr double kManySingle = 0.1;  // of the identities
constexpr double kMostBlue = 0.5;    // of the photos with colours
constexpr double kSomeGrey = 0.05;

std::string Identities(size_t count) { return Counted(count, "identity", "identities"); }

// The text as one word of a shell's command.
std::string ShellWord(const std::string& text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./@%+=:,-";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string word = "'";
  for (const char sign : text) word += sign == '\'' ? std::string("'\\''") : std::string(1, sign);
  return word + "'";
}

class Judge {
 public:
  explicit Judge(const SetReport& report)
      : report_(report), readable_(report.photos - report.unreadable.size()) {}

  std::vector<Finding> Findings() {
    Files();
    Labels();
    Duplicates();
    ModelView();
    Sizes();
    Colours();
    Balance();
    std::ranges::stable_sort(
        findings_, [](const Finding& a, const Finding& b) { return a.weight > b.weight; });
    return std::move(findings_);
  }

 private:
  void Add(FindingWeight weight, std::string text) {
    findings_.push_back({.weight = weight, .text = std::move(text)});
  }
  double ShareOf(size_t count, size_t all) const {
    return all == 0 ? 0.0 : static_cast<double>(count) / static_cast<double>(all);
  }

  void Files() {
    if (!report_.unreadable.empty()) {
      Add(FindingWeight::kError,
          fmt::format(
              "{} cannot be read. Repair them, or leave them out: --quarantine writes their "
              "list, and pack leaves them out by itself.",
              CountedPhotos(report_.unreadable.size())));
    }
    if (report_.identities < 2) {
      Add(FindingWeight::kError, "There is one identity; training tells at least two apart.");
    }
    if (!report_.empty_identities.empty()) {
      Add(FindingWeight::kNote,
          fmt::format("{} without photos: not counted as identities. Photos in folders further "
                      "down are not looked for.",
                      Counted(report_.empty_identities.size(), "folder is", "folders are")));
    }
  }

  void Labels() {
    if (!report_.labels.has_value()) return;
    const LabelNumbers& labels = *report_.labels;
    if (labels.first != 0) {
      Add(FindingWeight::kNote,
          fmt::format("Labels begin at {}. Training numbers identities from 0 by itself; a program "
                      "that takes the greatest label as the count makes {} too many or too few.",
                      labels.first, labels.first == 1 ? "one" : "some"));
    }
    if (labels.missing > 0) {
      Add(FindingWeight::kNote,
          fmt::format("{} between {} and {} have no photo. Training closes the gaps by itself.",
                      Counted(labels.missing, "label", "labels"), labels.first, labels.last));
    }
  }

  void Duplicates() {
    const DuplicateCount wrong = CountDuplicates(report_, true, true);
    if (wrong.groups > 0) {
      Add(FindingWeight::kError,
          fmt::format("{} under several identities, byte for byte: all labels of such a picture "
                      "but one are wrong. Correct them, or leave them out with --quarantine.",
                      Counted(wrong.groups, "picture is", "pictures are")));
    }
    if (const DuplicateCount near = CountDuplicates(report_, false, true); near.groups > 0) {
      Add(FindingWeight::kWarning,
          fmt::format("{} nearly alike under several identities: probably wrong labels. Look at "
                      "them with --sheet.",
                      Counted(near.groups, "picture is", "pictures are")));
    }
    const size_t copies = CountDuplicates(report_, true, false).copies +
                          CountDuplicates(report_, false, false).copies;
    if (copies == 0) return;
    const bool many = ShareOf(copies, readable_) > 0.02;
    Add(many ? FindingWeight::kWarning : FindingWeight::kNote,
        fmt::format("{} of another photo of the same identity: they add weight, not knowledge, "
                    "and a test set must have none of the training's.",
                    Counted(copies, "photo is a copy", "photos are copies")));
  }

  void ModelView() {
    if (!report_.model_view.has_value()) return;
    const LabelNoise& noise = report_.model_view->noise;
    if (!noise.doubted.empty()) {
      Add(FindingWeight::kWarning,
          fmt::format("{} probably not of their identity, as the model sees them. Look at them; "
                      "--quarantine writes their list.",
                      Counted(noise.doubted.size(), "photo is", "photos are")));
    }
    if (!noise.alike.empty()) {
      Add(FindingWeight::kWarning,
          fmt::format(
              "{} probably one person under two names: put their photos together.",
              Counted(noise.alike.size(), "pair of identities is", "pairs of identities are")));
    }
    if (!noise.mixed.empty()) {
      Add(FindingWeight::kWarning,
          fmt::format("{} probably two people under one name: part them.",
                      Counted(noise.mixed.size(), "identity is", "identities are")));
    }
  }

  void Sizes() {
    if (report_.sizes.empty()) return;
    const auto [size, count] = report_.sizes.front();
    const cv::Size usual = CropSize(AlignmentTemplate::kArcFace112);
    const cv::Size narrow = CropSize(AlignmentTemplate::kSphereFace96x112);
    const cv::Size shown(size.first, size.second);
    const bool crop = shown == usual || shown == narrow;
    if (crop && shown == narrow) {
      Add(FindingWeight::kNote,
          "The photos are SphereFace crops of 96 x 112 pixels: train with data.alignment "
          "sphereface-96x112.");
    }
    if (report_.sizes.size() == 1 && crop) return;
    if (crop && ShareOf(count, readable_) > 0.9) {
      Add(FindingWeight::kWarning,
          fmt::format("{} not of {} x {} pixels like the others: training takes crops of one size. "
                      "Leave them out with pack --crop {}x{}.",
                      Counted(readable_ - count, "photo is", "photos are"), size.first, size.second,
                      size.first, size.second));
      return;
    }
    Add(FindingWeight::kError,
        fmt::format(
            "The photos are not aligned crops of {} x {} pixels, or of {} x {} for "
            "data.alignment sphereface-96x112. Cut the faces out first: {}. Where the photos are "
            "aligned already and only show more around the face, data.centre_crop takes their "
            "middle.",
            usual.width, usual.height, narrow.width, narrow.height, AlignCommand()));
  }

  // "facegate-train align photos/ photos-aligned".
  std::string AlignCommand() const {
    std::filesystem::path out = report_.path;
    if (!out.has_filename()) out = out.parent_path();
    std::error_code error;
    if (std::filesystem::is_regular_file(out, error)) out.replace_extension();
    const std::string root =
        report_.list_root.empty() ? "" : " --list-root " + ShellWord(report_.list_root);
    return fmt::format("facegate-train align {}{} {}", ShellWord(report_.path), root,
                       ShellWord(out.string() + "-aligned"));
  }

  void Colours() {
    const size_t coloured = readable_ - report_.grey;
    if (coloured > 0 && ShareOf(report_.blue_skin, coloured) > kMostBlue) {
      Add(FindingWeight::kError,
          fmt::format("Blue is stronger than red in the middle of {} of {} photos: red and blue "
                      "were probably swapped when they were written.",
                      report_.blue_skin, coloured));
    }
    if (readable_ > 0 && coloured == 0) {
      Add(FindingWeight::kWarning,
          "All photos are grey: a model that learns from them alone never sees a colour.");
    } else if (ShareOf(report_.grey, readable_) > kSomeGrey) {
      Add(FindingWeight::kNote,
          fmt::format("{} grey. That does no harm where their identities have coloured photos too.",
                      Counted(report_.grey, "photo is", "photos are")));
    }
  }

  void Balance() {
    const PhotosPerIdentity& per = report_.per_identity;
    if (ShareOf(per.single, report_.identities) > kManySingle) {
      Add(FindingWeight::kWarning,
          fmt::format("{} of {} only one photo, which teaches nothing about what stays the "
                      "same in a face. Leave them out (pack --min-photos, or data.min_photos), or "
                      "use them as strangers.",
                      per.single, Counted(report_.identities, "identity has", "identities have")));
    }
    if (static_cast<double>(per.most) > kUneven * std::max(1.0, per.median)) {
      Add(FindingWeight::kNote,
          fmt::format("One identity has {} photos, and half of the identities have {:g} or fewer: "
                      "data.balanced shows each equally often.",
                      per.most, per.median));
    }
    if (report_.identities >= 2 && report_.identities < kFewIdentities) {
      Add(FindingWeight::kNote,
          fmt::format("{} are few: published models learned from 10,000 and more. Add sets, or "
                      "begin with trained weights.",
                      Identities(report_.identities)));
    }
  }

  const SetReport& report_;
  const size_t readable_;
  std::vector<Finding> findings_;
};

}  // namespace

std::string_view FindingName(FindingWeight weight) {
  switch (weight) {
    case FindingWeight::kNote:
      return "note";
    case FindingWeight::kWarning:
      return "warning";
    case FindingWeight::kError:
      return "error";
  }
  std::abort();
}

std::vector<Finding> JudgeSet(const SetReport& report) { return Judge(report).Findings(); }

}  // namespace facegate
