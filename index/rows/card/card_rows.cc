#include "index/rows/card/card_rows.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <unordered_set>
#include <utility>

#include "face/base/check.h"

namespace facegate {
namespace {

constexpr size_t kLeastSlabRows = 4096;
constexpr size_t kLargestSlabBytes = size_t{1} << 30;
// Each slab costs a search some microseconds.
constexpr size_t kManySmallSlabs = 4;

// Rows of a segment from `first` on, at a place, belong to the run.
bool GoesOn(const CardLayout::Run& run, uint64_t segment, size_t first, size_t at) {
  return run.segment == segment && run.first + run.rows == first && run.at + run.rows == at;
}

}  // namespace

std::optional<FoundRows::Row> CardLayout::RowAt(size_t slab, size_t place) const {
  const Runs& runs = slabs[slab];
  auto run = std::upper_bound(runs.begin(), runs.end(), place,
                              [](size_t wanted, const Run& r) { return wanted < r.at; });
  if (run == runs.begin()) return std::nullopt;
  --run;
  if (place >= run->at + run->rows) return std::nullopt;
  return FoundRows::Row{.segment = run->segment,
                        .row = static_cast<uint32_t>(run->first + (place - run->at))};
}

CardRows::CardRows(size_t dimension, SearchCard& card, CardBudget& budget)
    : dimension_(dimension),
      card_(card),
      budget_(budget),
      empty_(std::make_shared<const CardLayout>()),
      layout_(empty_) {}

CardRows::~CardRows() { Clear(); }

void CardRows::Clear() noexcept {
  slabs_.clear();
  const MutexLock lock(layout_mutex_);
  budget_.rows -= layout_->coverage->rows();
  layout_ = empty_;
}

std::shared_ptr<const CardLayout> CardRows::layout() const {
  const MutexLock lock(layout_mutex_);
  return layout_;
}

std::vector<SearchCard::Part> CardRows::parts() const {
  std::vector<SearchCard::Part> parts;
  parts.reserve(slabs_.size());
  for (const Slab& slab : slabs_) {
    // The last one, before anything was added to it, has nothing to look through.
    if (slab.used > 0) parts.push_back({.block = slab.block.get(), .rows = slab.used});
  }
  return parts;
}

size_t CardRows::largest_slab() const {
  return std::max(kLargestSlabBytes / bytes_of_row(), kLeastSlabRows);
}

StatusOr<std::optional<CardRows::Slab>> CardRows::MakeSlab(size_t rows) {
  if (rows_left() < rows) return std::optional<Slab>();
  auto block = card_.Allocate(rows, dimension_);
  if (block.status().code() == StatusCode::kResourceExhausted) return std::optional<Slab>();
  if (!block.ok()) return block.status();
  CardShare share(budget_, rows * bytes_of_row());
  return std::optional<Slab>(std::in_place, *std::move(block), std::move(share), rows);
}

size_t CardRows::room() const {
  return slabs_.empty() ? 0 : slabs_.back().capacity - slabs_.back().used;
}

StatusOr<bool> CardRows::AddSlab(size_t rows) {
  // With room for half as many again as there are, so that slabs stay few.
  const size_t there =
      std::accumulate(slabs_.begin(), slabs_.end(), size_t{0},
                      [](size_t sum, const Slab& slab) { return sum + slab.used; });
  size_t wanted = std::clamp(std::max(rows, there / 2), kLeastSlabRows, largest_slab());
  slabs_.reserve(slabs_.size() + 1);
  wanted = std::min<uint64_t>(wanted, rows_left());
  while (wanted >= kLeastSlabRows) {
    FACEGATE_ASSIGN_OR_RETURN(std::optional<Slab> slab, MakeSlab(wanted));
    if (slab.has_value()) {
      slabs_.push_back(*std::move(slab));
      return true;
    }
    // The card has less room than the budget.
    wanted = wanted == kLeastSlabRows ? 0 : std::max(kLeastSlabRows, wanted / 2);
  }
  return false;
}

Status CardRows::Add(uint64_t segment, std::span<const uint16_t> halves, double residual) {
  const size_t rows = halves.size() / dimension_;
  FACEGATE_CHECK(rows > 0 && rows <= room());
  Slab& slab = slabs_.back();
  const size_t first = layout()->coverage->RowsOf(segment);
  FACEGATE_RETURN_IF_ERROR(card_.Write(*slab.block, slab.used, halves));
  if (!slab.runs.empty() && GoesOn(slab.runs.back(), segment, first, slab.used)) {
    slab.runs.back().rows += rows;
  } else {
    slab.runs.push_back({.segment = segment, .first = first, .rows = rows, .at = slab.used});
  }
  slab.used += rows;
  slab.live += rows;
  Publish(residual);
  return OkStatus();
}

Status CardRows::Forget(const RowSnapshot& snapshot) {
  std::unordered_set<uint64_t> there;
  for (const RowSnapshot::Part& part : snapshot.whole()) there.insert(part.segment->serial());
  bool any = false;
  for (Slab& slab : slabs_) {
    for (const CardLayout::Run& run : slab.runs) {
      if (there.contains(run.segment)) continue;
      FACEGATE_RETURN_IF_ERROR(card_.Wipe(*slab.block, run.at, run.rows));
      slab.live -= run.rows;
      any = true;
    }
    std::erase_if(slab.runs, [&](const auto& run) { return !there.contains(run.segment); });
  }
  if (!any) return OkStatus();
  std::erase_if(slabs_, [](const Slab& slab) { return slab.live == 0; });
  Publish(0.0);
  return OkStatus();
}

std::vector<size_t> CardRows::WorthPacking() const {
  std::vector<size_t> small;
  std::vector<size_t> holed;
  size_t rows = 0;
  for (size_t i = 0; i < slabs_.size(); ++i) {
    const Slab& slab = slabs_[i];
    const size_t holes = slab.used - slab.live;
    const bool is_large = slab.capacity > std::max(kLeastSlabRows, 4 * slab.live);
    if (holes > slab.capacity / 4 || is_large) holed.push_back(i);
    if (slab.capacity > largest_slab() / 2 || rows + slab.live > largest_slab()) continue;
    small.push_back(i);
    rows += slab.live;
  }
  if (small.size() > kManySmallSlabs) return small;
  if (!holed.empty()) holed.resize(1);
  return holed;
}

StatusOr<bool> CardRows::Pack() {
  const std::vector<size_t> packed = WorthPacking();
  if (packed.empty()) return false;
  FACEGATE_ASSIGN_OR_RETURN(std::optional<Slab> to, PackedOf(packed));
  if (!to.has_value()) {
    size_t used = 0;
    size_t live = 0;
    for (const Slab& slab : slabs_) used += slab.used, live += slab.live;
    if (live < used - used / 4) Clear();
    return false;
  }
  std::vector<Slab> slabs;
  slabs.reserve(slabs_.size());
  for (size_t i = 0; i < slabs_.size(); ++i) {
    if (!std::binary_search(packed.begin(), packed.end(), i)) slabs.push_back(std::move(slabs_[i]));
  }
  slabs.push_back(*std::move(to));
  slabs_ = std::move(slabs);
  Publish(0.0);
  return true;
}

StatusOr<std::optional<CardRows::Slab>> CardRows::PackedOf(const std::vector<size_t>& packed) {
  size_t rows = 0;
  for (const size_t i : packed) rows += slabs_[i].live;
  // Room for as many again, so that what comes next needs no other slab; or for these at least.
  FACEGATE_ASSIGN_OR_RETURN(std::optional<Slab> to,
                            MakeSlab(std::clamp(2 * rows, kLeastSlabRows, largest_slab())));
  if (!to.has_value()) {
    FACEGATE_ASSIGN_OR_RETURN(to, MakeSlab(std::max(rows, kLeastSlabRows)));
  }
  if (!to.has_value()) return to;
  for (const size_t i : packed) {
    for (CardLayout::Run run : slabs_[i].runs) {
      FACEGATE_RETURN_IF_ERROR(
          card_.Copy(*slabs_[i].block, run.at, run.rows, *to->block, to->used));
      run.at = to->used;
      to->runs.push_back(run);
      to->used += run.rows;
      to->live += run.rows;
    }
  }
  return to;
}

void CardRows::Publish(double residual) {
  auto now = std::make_shared<CardLayout>();
  std::map<uint64_t, size_t> rows;
  for (const Slab& slab : slabs_) {
    if (slab.used == 0) continue;  // as in parts()
    now->slabs.push_back(slab.runs);
    for (const CardLayout::Run& run : slab.runs) rows[run.segment] += run.rows;
  }
  std::vector<Coverage::Part> parts;
  parts.reserve(rows.size());
  for (const auto& [segment, count] : rows) parts.push_back({.segment = segment, .rows = count});
  now->coverage = std::make_shared<const Coverage>(std::move(parts));
  const MutexLock lock(layout_mutex_);
  now->residual = slabs_.empty() ? 0.0 : std::max(residual, layout_->residual);
  budget_.rows += now->coverage->rows();
  budget_.rows -= layout_->coverage->rows();
  layout_ = std::move(now);
}

}  // namespace facegate
