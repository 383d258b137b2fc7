#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "face/base/status.h"

namespace facegate {

// Says how what is in a folder was made, as a JSON object: "align.json". A folder is gone on with
// under the same record alone.
struct WorkRecord {
  using Settings = std::vector<std::pair<std::string, std::string>>;

  std::string kind;  // the first key: "facegate_align"
  std::string file;  // what messages call it
  // What decides how files look and where they are, with what it is set to.
  Settings settings;
  // The same of what records did not always have: one without it is taken as it is.
  Settings later;
  // The paths of the photos, for people: they may be moved.
  std::vector<std::string> sources;
};

std::string RecordText(const WorkRecord& record);

// kFailedPrecondition where `text` is the record of another work than `record`: names what differs.
// `place` is what the message calls the folder or pack.
Status CheckRecord(std::string_view text, const WorkRecord& record, const std::string& place);

}  // namespace facegate
