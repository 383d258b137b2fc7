#include "tests/gpu/search_timing.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <mutex>
#include <span>
#include <string>
#include <utility>

#include "face/base/module.h"
#include "index/rows/card/card_search.h"
#include "index/rows/card/half.h"
#include "index/rows/exact_index.h"
#include "tests/gpu/face_rows.h"
#include "tests/gpu/search_changes.h"

namespace facegate {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kWarmUps = 3;
constexpr size_t kLeastCalls = 5;
constexpr size_t kRowsAtOnce = size_t{1} << 16;
constexpr size_t kSlabBytes = size_t{1} << 30;  // as an index has them
// What an index asks for, for each of few groups that are wanted.
constexpr size_t kWanted = 64;
constexpr size_t kChecked = 8;  // queries whose answer a scan on the CPU tells
constexpr uint64_t kSeed = 20220901;

FaceRows FacesOf(const SearchTiming& timing) { return {timing.dimension, 0.5, kSeed}; }

std::vector<std::vector<float>> ProbesOf(const SearchTiming& timing, size_t rows, size_t count) {
  const FaceRows faces = FacesOf(timing);
  std::vector<std::vector<float>> probes;
  for (size_t i = 0; i < count; ++i)
    probes.push_back(faces.Probe(FaceRows::PersonOf(i * rows / count)));
  return probes;
}

std::vector<std::span<const float>> SpansOf(const std::vector<std::vector<float>>& vectors) {
  return {vectors.begin(), vectors.end()};
}

SearchRow RowOf(const char* way, size_t rows, size_t batch, size_t k, double ms) {
  return {{"way", way}, {"rows", rows}, {"batch", batch}, {"k", k}, {"ms", ms}};
}

void MakeRows(const FaceRows& faces, size_t first, std::span<float> vectors) {
  InThreads(vectors.size() / faces.dimension(), 256, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      faces.Make(first + i, vectors.subspan(i * faces.dimension(), faces.dimension()));
    }
  });
}

StatusOr<std::vector<VectorIndex::Slot>> Fill(VectorIndex& index, const FaceRows& faces,
                                              size_t rows) {
  FACEGATE_RETURN_IF_ERROR(index.Reserve(rows));
  std::vector<VectorIndex::Slot> slots;
  std::vector<float> vectors(std::min(rows, kRowsAtOnce) * faces.dimension());
  for (size_t first = 0; first < rows; first += kRowsAtOnce) {
    const size_t count = std::min(kRowsAtOnce, rows - first);
    const auto here = std::span(vectors).first(count * faces.dimension());
    MakeRows(faces, first, here);
    for (size_t i = 0; i < count; ++i) {
      slots.push_back(index.Add(FaceRows::PersonOf(first + i), first + i + 1,
                                here.subspan(i * faces.dimension(), faces.dimension())));
    }
  }
  return slots;
}

// Fills a block with rows from number `first` on.
Status FillBlock(SearchCard& card, SearchCard::Block& block, const FaceRows& faces, size_t first,
                 size_t rows) {
  std::mutex mutex;
  Status status;
  InThreads(rows, 4096, [&](size_t begin, size_t end) {
    std::vector<float> vector(faces.dimension());
    std::vector<uint16_t> halves((end - begin) * faces.dimension());
    double residual = 0.0;
    for (size_t i = begin; i < end; ++i) {
      faces.Make(first + i, vector);
      RoundToHalves(vector,
                    std::span(halves).subspan((i - begin) * faces.dimension(), faces.dimension()),
                    residual);
    }
    const std::lock_guard lock(mutex);
    if (status.ok()) status = card.Write(block, begin, halves);
  });
  return status;
}

}  // namespace

StatusOr<double> MedianMs(double seconds, const std::function<Status()>& call) {
  for (size_t i = 0; i < kWarmUps; ++i) FACEGATE_RETURN_IF_ERROR(call());
  std::vector<double> times;
  const auto started = Clock::now();
  const auto enough = started + std::chrono::duration<double>(seconds);
  while (times.size() < kLeastCalls || Clock::now() < enough) {
    const auto begun = Clock::now();
    FACEGATE_RETURN_IF_ERROR(call());
    times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begun).count());
  }
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

StatusOr<std::unique_ptr<SearchCard>> OpenCard(int number) {
  FACEGATE_ASSIGN_OR_RETURN(const auto entry,
                            OpenModule(number < 0 ? "gpu-stand-in-card" : kSearchCardModule));
  return reinterpret_cast<OpenSearchCard*>(entry)(std::max(number, 0));
}

Status TimeIndex(const SearchTiming& timing, size_t rows, const NoteRow& note) {
  const FaceRows faces = FacesOf(timing);
  const auto index = MakeExactIndex(timing.dimension);
  FACEGATE_ASSIGN_OR_RETURN(const auto slots, Fill(*index, faces, rows));
  const auto checked = ProbesOf(timing, rows, kChecked);
  FACEGATE_ASSIGN_OR_RETURN(const auto expected, index->Search(SpansOf(checked), 1));
  FACEGATE_ASSIGN_OR_RETURN(auto card, OpenCard(timing.card));
  FACEGATE_ASSIGN_OR_RETURN(const uint64_t free, card->free_bytes());
  FACEGATE_ASSIGN_OR_RETURN(const auto search,
                            CardSearch::Start(std::move(card), {.budget = free, .least_rows = 1}));
  FACEGATE_RETURN_IF_ERROR(index->SetFinder(search->MakeFinder(timing.dimension)));
  const auto started = Clock::now();
  FACEGATE_RETURN_IF_ERROR(index->BeginMove(2.0).status());  // moves nothing, tells the finder
  search->AwaitIdle();
  const double sent_s = std::chrono::duration<double>(Clock::now() - started).count();
  if (search->counts().rows != rows) return Internal("not all rows came to the card");
  for (const size_t batch : timing.batches) {
    const auto probes = ProbesOf(timing, rows, batch);
    const auto queries = SpansOf(probes);
    const uint64_t queries_before = index->counts().queries;
    const uint64_t found_before = index->counts().found;
    FACEGATE_ASSIGN_OR_RETURN(const double ms, MedianMs(timing.seconds, [&] {
                                return index->Search(queries, 1).status();
                              }));
    FACEGATE_ASSIGN_OR_RETURN(const auto found, index->Search(SpansOf(checked), 1));
    SearchRow row = RowOf("index", rows, batch, 1, ms);
    row["on_card"] = static_cast<double>(index->counts().found - found_before) /
                     static_cast<double>(index->counts().queries - queries_before);
    row["is_exact"] = found == expected;
    row["sent_s"] = sent_s;
    note(std::move(row));
  }
  FACEGATE_ASSIGN_OR_RETURN(const SearchChanges changes,
                            SearchWhileItChanges(*index, faces, slots, 8 * timing.seconds));
  note({{"way", "changes"},
        {"rows", rows},
        {"searches", changes.searches},
        {"changes", changes.changes},
        {"p50_ms", changes.p50_ms},
        {"p99_ms", changes.p99_ms},
        {"wrong", changes.wrong}});
  return index->SetFinder(nullptr);
}

Status TimeCard(const SearchTiming& timing, size_t rows, const NoteRow& note) {
  const FaceRows faces = FacesOf(timing);
  FACEGATE_ASSIGN_OR_RETURN(const auto card, OpenCard(timing.card));
  const size_t of_slab = kSlabBytes / (timing.dimension * sizeof(uint16_t));
  std::vector<std::unique_ptr<SearchCard::Block>> blocks;
  std::vector<SearchCard::Part> parts;
  for (size_t first = 0; first < rows; first += of_slab) {
    const size_t count = std::min(of_slab, rows - first);
    FACEGATE_ASSIGN_OR_RETURN(auto block, card->Allocate(count, timing.dimension));
    FACEGATE_RETURN_IF_ERROR(FillBlock(*card, *block, faces, first, count));
    parts.push_back({.block = block.get(), .rows = count});
    blocks.push_back(std::move(block));
  }
  for (const size_t batch : timing.batches) {
    std::vector<uint16_t> queries;
    for (const auto& probe : ProbesOf(timing, rows, batch)) {
      double residual = 0.0;
      queries.resize(queries.size() + timing.dimension);
      RoundToHalves(probe, std::span(queries).last(timing.dimension), residual);
    }
    FACEGATE_ASSIGN_OR_RETURN(
        const double ms, MedianMs(timing.seconds, [&] {
          return card->Search(parts, queries, timing.dimension, kWanted).status();
        }));
    note(RowOf("card", rows, batch, kWanted, ms));
  }
  return OkStatus();
}

Status TimePlain(const SearchTiming& timing, PlainSearch& plain, size_t rows, bool in_halves,
                 const NoteRow& note) {
  const FaceRows faces = FacesOf(timing);
  FACEGATE_RETURN_IF_ERROR(plain.Build(
      rows, timing.dimension, in_halves,
      [&](size_t first, std::span<float> vectors) { MakeRows(faces, first, vectors); }));
  for (const size_t batch : timing.batches) {
    std::vector<float> queries;
    for (const auto& probe : ProbesOf(timing, rows, batch)) {
      queries.insert(queries.end(), probe.begin(), probe.end());
    }
    for (const size_t k : {size_t{1}, kWanted}) {
      std::vector<int64_t> found(batch * k);
      FACEGATE_ASSIGN_OR_RETURN(const double ms, MedianMs(timing.seconds, [&] {
                                  return plain.Search(queries, k, found);
                                }));
      note(RowOf(in_halves ? "FAISS fp16" : "FAISS fp32", rows, batch, k, ms));
    }
  }
  plain.Clear();
  return OkStatus();
}

}  // namespace facegate
