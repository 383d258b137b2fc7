#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "face/base/status.h"

namespace facegate {

// Says how crops were made, as a JSON object of texts: "align.json". A folder is gone on with under
// the same record alone.
struct AlignRecord {
  // What decides how crops look and where they are, with what it is set to.
  std::vector<std::pair<std::string, std::string>> settings;
  // The paths of the photos, for people: they may be moved.
  std::vector<std::string> sources;
};

std::string RecordText(const AlignRecord& record);

// kFailedPrecondition where `text` is the record of another work than `record`: names what differs.
// `place` is what the message calls the folder or pack.
Status CheckRecord(std::string_view text, const AlignRecord& record, const std::string& place);

}  // namespace facegate
