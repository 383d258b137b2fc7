#include "trainer/photos/list_job.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "face/base/file.h"
#include "trainer/photos/photo_files.h"
#include "trainer/photos/shown_name.h"

namespace facegate {
namespace {

// Readers drop blanks at the ends of a field.
bool HasBlankEnd(const std::string& field) {
  constexpr std::string_view kBlanks = " \t";
  return !field.empty() && (kBlanks.find(field.front()) != std::string_view::npos ||
                            kBlanks.find(field.back()) != std::string_view::npos);
}

// The field as CSV has it.
std::string Quoted(const std::string& field) {
  const bool plain =
      field.find_first_of(",\"\r\n") == std::string::npos && !field.empty() && !HasBlankEnd(field);
  if (plain) return field;
  std::string quoted = "\"";
  for (const char sign : field) quoted += sign == '"' ? std::string("\"\"") : std::string(1, sign);
  return quoted + '"';
}

StatusOr<std::string> LineOf(ListForm form, const std::string& path, const std::string& identity,
                             size_t label) {
  if (form == ListForm::kCsv) {
    return fmt::format("{},{},{}\n", Quoted(path), Quoted(identity), label);
  }
  if (path.find_first_of(";\r\n") != std::string::npos || HasBlankEnd(path)) {
    return InvalidArgument(fmt::format(
        "{} cannot stand in a list of LABEL;PATH; a CSV holds any path", ShownInQuotes(path)));
  }
  return fmt::format("{};{}\n", label, path);
}

}  // namespace

StatusOr<PhotoJobReport> WriteList(const PhotoJobOptions& options, ListForm form,
                                   const std::string& out) {
  FACEGATE_ASSIGN_OR_RETURN(const SourceSet opened,
                            OpenSourceSet(options.sources, options.list_root, options.missing));
  for (size_t i = 0; i < opened.sources.size(); ++i) {
    if (opened.sources[i]->has_files()) continue;
    return InvalidArgument(fmt::format(
        "a list names files, and the photos of {} are none; convert it to a folder first",
        options.sources[i]));
  }
  PhotoJobReport report{.renamed_identities = opened.merged.renamed, .remarks = opened.remarks};
  std::string text = form == ListForm::kCsv ? "path,identity,label\n" : "";
  for (const MergedIdentities::Identity& identity : opened.merged.identities) {
    if (identity.photos.size() < options.min_photos) {
      ++report.small_identities;
      report.photos_of_small += identity.photos.size();
      continue;
    }
    for (const size_t photo : identity.photos) {
      const std::string name = opened.sources[identity.source]->name(photo);
      FACEGATE_ASSIGN_OR_RETURN(const std::string line, LineOf(form, WholePath(name).string(),
                                                               identity.name, report.identities));
      text += line;
    }
    report.photos += identity.photos.size();
    ++report.identities;
  }
  if (report.identities == 0) {
    return InvalidArgument(
        fmt::format("nothing to write: no identity has {} photos or more", options.min_photos));
  }
  FACEGATE_RETURN_IF_ERROR(WriteFileAtomically(out, text));
  return report;
}

}  // namespace facegate
