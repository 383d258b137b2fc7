#include "index/rows/approximate/taken_rows.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "index/rows/score_bounds.h"

namespace facegate {
namespace {

constexpr size_t kReadAtOnce = 1024;  // rows between two questions

bool Has(const Serials& serials, uint64_t segment) {
  return std::binary_search(serials.begin(), serials.end(), segment);
}

// Nodes whose segments have left the index.
std::vector<uint32_t> Adrift(const RowNodes& nodes, const Serials& there) {
  std::vector<uint32_t> adrift;
  uint64_t segment = 0;  // of the node before
  bool is_there = true;
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].vector == nullptr) continue;
    if (nodes[i].segment != segment) {
      segment = nodes[i].segment;
      is_there = Has(there, segment);
    }
    if (!is_there) adrift.push_back(static_cast<uint32_t>(i));
  }
  return adrift;
}

// Nodes that look for their rows.
struct Seekers {
  const NodeIds* ids = nullptr;
  RowNodes* nodes = nullptr;
  std::vector<uint32_t> adrift;

  // The row of a template that is there now becomes that of its node, if there is one.
  void Offer(uint64_t template_id, const Segment& segment, size_t row, const Serials& there) {
    const std::optional<uint32_t> number = ids->Find(template_id);
    if (!number.has_value()) return;
    RowNode& node = (*nodes)[*number];
    const float* const vector = segment.Vector(row).data();
    if (node.vector == nullptr || Has(there, node.segment) ||
        !std::equal(vector, vector + segment.dimension(), node.vector)) {
      return;
    }
    node = {.vector = vector, .segment = segment.serial(), .row = static_cast<uint32_t>(row)};
  }

  // Those that have found none have no row any more.
  std::vector<uint32_t> LetGo(const Serials& there) {
    std::erase_if(adrift, [&](uint32_t number) { return Has(there, (*nodes)[number].segment); });
    for (const uint32_t number : adrift) (*nodes)[number].vector = nullptr;
    return std::move(adrift);
  }
};

// Rows that have moved are in segments that were not there before. While a part is made anew a row
// has a node in the old one as well, so that all are offered each row.
void FindMoved(const RowSnapshot& snapshot, const Serials& before, const Serials& there,
               std::vector<Seekers>& seekers) {
  for (const RowSnapshot::Part& part : snapshot.parts()) {
    const Segment& segment = *part.segment;
    if (Has(before, segment.serial())) continue;
    for (size_t row = 0; row < part.end; ++row) {
      const RowLabel label = segment.LabelOf(row);
      if (!label.IsThere()) continue;
      for (Seekers& some : seekers) some.Offer(label.template_id, segment, row, there);
    }
  }
}

bool IsInPart(const TakenRows& taken, uint64_t template_id, uint64_t segment, size_t row) {
  return std::any_of(taken.parts.begin(), taken.parts.end(), [&](const TakenPart& part) {
    const std::optional<uint32_t> number = part.ids->Find(template_id);
    if (!number.has_value()) return false;
    const RowNode& node = (*part.nodes)[*number];
    return node.vector != nullptr && node.segment == segment && node.row == row;
  });
}

// Collects nodes with their templates.
class Collector {
 public:
  void Add(uint64_t template_id, const RowNode& node) {
    entries_.emplace_back(template_id, static_cast<uint32_t>(part_.nodes.size()));
    part_.nodes.push_back(node);
  }
  NewPart Take() {
    part_.ids = std::make_shared<NodeIds>(std::move(entries_));
    return std::move(part_);
  }

 private:
  NewPart part_;
  std::vector<NodeIds::Entry> entries_;
};

const Segment* SegmentOf(const RowSnapshot& snapshot, uint64_t serial) {
  const auto part =
      std::find_if(snapshot.parts().begin(), snapshot.parts().end(),
                   [&](const auto& other) { return other.segment->serial() == serial; });
  return part == snapshot.parts().end() ? nullptr : part->segment;
}

// What is left of a part.
Status CollectLeft(const TakenRows& taken, const TakenPart& part, Collector& collector,
                   const StopCheck& stop) {
  const Segment* segment = nullptr;  // of the node before
  // In the order of nodes, which is more or less that of segments.
  std::vector<uint64_t> templates(part.nodes->size());
  for (const auto& [template_id, node] : part.ids->entries()) templates[node] = template_id;
  for (size_t i = 0; i < templates.size(); ++i) {
    if (i % kReadAtOnce == 0) FACEGATE_RETURN_IF_ERROR(Ask(stop));
    const RowNode& node = (*part.nodes)[i];
    if (node.vector == nullptr) continue;
    if (segment == nullptr || segment->serial() != node.segment) {
      segment = SegmentOf(taken.snapshot, node.segment);
    }
    if (segment != nullptr && segment->LabelOf(node.row).IsThere()) {
      collector.Add(templates[i], node);
    }
  }
  return OkStatus();
}

}  // namespace

NodeIds::NodeIds(std::vector<Entry> entries) : entries_(std::move(entries)) {
  std::sort(entries_.begin(), entries_.end());
}

std::optional<uint32_t> NodeIds::Find(uint64_t template_id) const {
  const auto place = std::lower_bound(entries_.begin(), entries_.end(), Entry{template_id, 0});
  if (place == entries_.end() || place->first != template_id) return std::nullopt;
  return place->second;
}

Serials SerialsOf(const RowSnapshot& snapshot) {
  Serials serials;
  serials.reserve(snapshot.parts().size());
  for (const RowSnapshot::Part& part : snapshot.parts()) serials.push_back(part.segment->serial());
  std::sort(serials.begin(), serials.end());
  return serials;
}

size_t TakenRows::left() const {
  size_t sum = 0;
  for (const TakenPart& part : parts) sum += part.left();
  return sum;
}

size_t TakenRows::gone() const {
  size_t sum = 0;
  for (const TakenPart& part : parts) sum += part.gone;
  return sum;
}

size_t TakenRows::Uncovered(const RowSnapshot& of) const {
  return of.rows() - std::min(of.rows(), coverage->rows() + left_out);
}

std::shared_ptr<const Coverage> NothingCovered() {
  return std::make_shared<Coverage>(std::vector<Coverage::Part>{});
}

TakenRows NothingTaken(const RowSnapshot& snapshot) {
  TakenRows taken;
  taken.snapshot = snapshot;
  taken.coverage = NothingCovered();
  return taken;
}

TakenRows TakenLater(const TakenRows& taken, const RowSnapshot& snapshot, NewPart* made) {
  TakenRows later = taken;
  later.snapshot = snapshot;
  const Serials there = SerialsOf(snapshot);
  std::vector<Seekers> seekers;
  std::vector<std::shared_ptr<RowNodes>> moving(later.parts.size());
  for (size_t i = 0; i < later.parts.size(); ++i) {
    TakenPart& part = later.parts[i];
    std::vector<uint32_t> adrift = Adrift(*part.nodes, there);
    if (adrift.empty()) continue;
    moving[i] = std::make_shared<RowNodes>(*part.nodes);
    part.nodes = moving[i];
    seekers.push_back(
        {.ids = part.ids.get(), .nodes = moving[i].get(), .adrift = std::move(adrift)});
  }
  if (made != nullptr) {
    std::vector<uint32_t> adrift = Adrift(made->nodes, there);
    if (adrift.empty())
      made = nullptr;
    else
      seekers.push_back(
          {.ids = made->ids.get(), .nodes = &made->nodes, .adrift = std::move(adrift)});
  }
  if (!seekers.empty()) FindMoved(snapshot, SerialsOf(taken.snapshot), there, seekers);
  if (made != nullptr) made->gone += seekers.back().LetGo(there).size();
  auto some = seekers.begin();
  for (size_t i = 0; i < later.parts.size(); ++i) {
    if (moving[i] == nullptr) continue;
    TakenPart& part = later.parts[i];
    const std::vector<uint32_t> gone = (some++)->LetGo(there);
    part.gone += gone.size();
    if (auto search = part.search->Without(*moving[i], gone)) part.search = std::move(search);
  }
  std::erase_if(later.unfit, [&](uint64_t segment) { return !Has(there, segment); });
  (void)Cover(later, {});
  return later;
}

StatusOr<NewPart> RowsToTake(TakenRows& taken, const std::vector<bool>& merged,
                             const StopCheck& stop) {
  Collector collector;
  for (size_t i = 0; i < taken.parts.size(); ++i) {
    if (merged[i]) FACEGATE_RETURN_IF_ERROR(CollectLeft(taken, taken.parts[i], collector, stop));
  }
  size_t read = 0;
  for (const RowSnapshot::Part& part : taken.snapshot.parts()) {
    const Segment& segment = *part.segment;
    for (size_t row = taken.coverage->RowsOf(segment.serial()); row < part.end; ++row) {
      if (read++ % kReadAtOnce == 0) FACEGATE_RETURN_IF_ERROR(Ask(stop));
      const RowLabel label = segment.LabelOf(row);
      if (!label.IsThere() || IsInPart(taken, label.template_id, segment.serial(), row)) continue;
      if (!IsBounded(segment.Vector(row))) {
        if (!Has(taken.unfit, segment.serial())) {
          taken.unfit.insert(
              std::upper_bound(taken.unfit.begin(), taken.unfit.end(), segment.serial()),
              segment.serial());
        }
        break;
      }
      collector.Add(label.template_id, {.vector = segment.Vector(row).data(),
                                        .segment = segment.serial(),
                                        .row = static_cast<uint32_t>(row)});
    }
  }
  return collector.Take();
}

Status Cover(TakenRows& taken, const StopCheck& stop) {
  std::vector<Coverage::Part> covered;
  taken.left_out = 0;
  size_t read = 0;
  for (const RowSnapshot::Part& part : taken.snapshot.parts()) {
    const Segment& segment = *part.segment;
    size_t rows = taken.coverage->RowsOf(segment.serial());
    for (; rows < part.end; ++rows) {
      if (read++ % kReadAtOnce == 0) FACEGATE_RETURN_IF_ERROR(Ask(stop));
      const RowLabel label = segment.LabelOf(rows);
      if (label.IsThere() && !IsInPart(taken, label.template_id, segment.serial(), rows)) break;
    }
    if (rows > 0) covered.push_back({.segment = segment.serial(), .rows = rows});
    if (Has(taken.unfit, segment.serial())) taken.left_out += part.end - std::min(rows, part.end);
  }
  taken.coverage = std::make_shared<Coverage>(std::move(covered));
  return OkStatus();
}

StatusOr<std::vector<PlacedScore>> SearchTaken(const TakenRows& taken, std::span<const float> query,
                                               size_t wanted, size_t effort,
                                               const StopCheck& stop) {
  std::vector<PlacedScore> best;
  for (size_t part = 0; part < taken.parts.size(); ++part) {
    FACEGATE_ASSIGN_OR_RETURN(
        const auto found,
        taken.parts[part].search->Search(*taken.parts[part].nodes, query, wanted, effort, stop));
    for (const NodeScore& node : found) {
      best.push_back({.part = part, .node = node.node, .score = node.score});
    }
  }
  if (best.size() > wanted) {
    std::nth_element(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(wanted), best.end(),
                     [](const auto& a, const auto& b) { return a.score > b.score; });
    best.resize(wanted);
  }
  return best;
}

bool IsBounded(std::span<const float> vector) {
  double sum = 0.0;
  for (const float value : vector) sum += static_cast<double>(value) * static_cast<double>(value);
  return sum <= kLargestNorm * kLargestNorm;
}

}  // namespace facegate
