#include "index/rows/found_rows_reader.h"

#include <algorithm>

namespace facegate {

FoundRowsReader::FoundRowsReader(const RowSnapshot& snapshot) : snapshot_(snapshot) {
  parts_.reserve(snapshot.whole().size());
  for (const RowSnapshot::Part& part : snapshot.whole()) {
    parts_.emplace_back(part.segment->serial(), &part);
  }
  std::sort(parts_.begin(), parts_.end());
}

void FoundRowsReader::Offer(const FoundRows& found, CandidateSelection& selection) const {
  for (const FoundRows::Row& row : found.rows) {
    const auto part =
        std::lower_bound(parts_.begin(), parts_.end(), row.segment,
                         [](const auto& listed, uint64_t serial) { return listed.first < serial; });
    // One that has gone from the index, or came later.
    if (part == parts_.end() || part->first != row.segment || row.row >= part->second->end)
      continue;
    const Segment& segment = *part->second->segment;
    const RowLabel label = segment.LabelOf(row.row);
    if (!label.IsIn(snapshot_.number())) continue;
    const auto score = static_cast<double>(row.score);
    selection.Offer({.lower = score - found.error,
                     .upper = score + found.error,
                     .group = label.group,
                     .template_id = label.template_id,
                     .vector = segment.Vector(row.row).data()});
  }
}

}  // namespace facegate
