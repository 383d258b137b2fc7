#include "index/rows/cuda/faiss_card.h"

#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "face/base/catch.h"
#include "face/base/check.h"
#include "face/base/device.h"
#include "face/torch/find_cuda.h"
#include "index/rows/cuda/card_memory.h"
#include "index/rows/cuda/row_ranking.h"
#include "index/rows/cuda/selection.h"

namespace facegate {
namespace {

using cuda::CardMemory;
using cuda::CardValues;
using cuda::HalfVectors;
using cuda::RowRanking;
using cuda::StatusOf;

// What is left for that which grows with searches, and for CUDA itself.
constexpr size_t kSpareBytes = size_t{256} << 20;

class FaissBlock final : public SearchCard::Block {
 public:
  FaissBlock(int card, CardMemory memory, size_t rows, size_t dimension)
      : card_(card), memory_(std::move(memory)), rows_(rows), dimension_(dimension) {}
  ~FaissBlock() override { static_cast<void>(::cudaSetDevice(card_)); }

  uint16_t* Row(size_t row) const {
    return static_cast<uint16_t*>(memory_.data()) + row * dimension_;
  }
  size_t BytesOf(size_t rows) const { return rows * dimension_ * sizeof(uint16_t); }
  size_t rows() const { return rows_; }
  size_t dimension() const { return dimension_; }

 private:
  const int card_;
  const CardMemory memory_;  // goes after the destructor has chosen the card
  const size_t rows_;
  const size_t dimension_;
};

class FaissCard final : public SearchCard {
 public:
  explicit FaissCard(Device device) : device_(std::move(device)) {}
  ~FaissCard() override {
    static_cast<void>(Choose());
    ranking_.reset();
    if (stream_ != nullptr) static_cast<void>(::cudaStreamDestroy(stream_));
  }

  // Takes what it needs, and searches once: what does not work here is told at the start.
  Status Start() {
    FACEGATE_RETURN_IF_ERROR(Choose());
    FACEGATE_RETURN_IF_ERROR(
        StatusOf(::cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "a stream"));
    FACEGATE_ASSIGN_OR_RETURN(ranking_, RowRanking::Create(stream_));
    FACEGATE_ASSIGN_OR_RETURN(const uint64_t free, free_bytes());
    if (free == 0) {
      return {StatusCode::kResourceExhausted,
              fmt::format("{} has less than {} MB of free memory", name(), kSpareBytes >> 20)};
    }
    return TrySearch();
  }

  std::string name() const override { return device_.words(); }
  size_t most_wanted() const override { return cuda::kMostSelected; }

  StatusOr<uint64_t> free_bytes() override {
    FACEGATE_RETURN_IF_ERROR(Choose());
    size_t free = 0;
    size_t total = 0;
    FACEGATE_RETURN_IF_ERROR(StatusOf(::cudaMemGetInfo(&free, &total), "memory of the card"));
    return free - std::min(free, kSpareBytes);
  }

  StatusOr<std::unique_ptr<Block>> Allocate(size_t rows, size_t dimension) override {
    FACEGATE_CHECK(rows > 0 && dimension > 0);
    FACEGATE_RETURN_IF_ERROR(Choose());
    FACEGATE_ASSIGN_OR_RETURN(CardMemory memory,
                              CardMemory::OfCard(rows * dimension * sizeof(uint16_t)));
    return std::make_unique<FaissBlock>(device_.card, std::move(memory), rows, dimension);
  }

  Status Write(Block& block, size_t at, std::span<const uint16_t> rows) override {
    const FaissBlock& to = BlockOf(block);
    const size_t count = rows.size() / to.dimension();
    FACEGATE_CHECK(rows.size() == count * to.dimension() && IsIn(to, at, count));
    FACEGATE_RETURN_IF_ERROR(Choose());
    FACEGATE_RETURN_IF_ERROR(StatusOf(::cudaMemcpyAsync(to.Row(at), rows.data(), rows.size_bytes(),
                                                        cudaMemcpyHostToDevice, stream_),
                                      "writing rows"));
    return Wait("writing rows");
  }

  Status Copy(const Block& from, size_t begin, size_t rows, Block& to, size_t at) override {
    const FaissBlock& source = BlockOf(from);
    const FaissBlock& target = BlockOf(to);
    FACEGATE_CHECK(IsIn(source, begin, rows) && IsIn(target, at, rows) &&
                   source.dimension() == target.dimension());
    FACEGATE_RETURN_IF_ERROR(Choose());
    FACEGATE_RETURN_IF_ERROR(
        StatusOf(::cudaMemcpyAsync(target.Row(at), source.Row(begin), source.BytesOf(rows),
                                   cudaMemcpyDeviceToDevice, stream_),
                 "copying rows"));
    return Wait("copying rows");
  }

  Status Wipe(Block& block, size_t at, size_t rows) override {
    const FaissBlock& there = BlockOf(block);
    FACEGATE_CHECK(IsIn(there, at, rows));
    FACEGATE_RETURN_IF_ERROR(Choose());
    FACEGATE_RETURN_IF_ERROR(
        StatusOf(::cudaMemsetAsync(there.Row(at), 0, there.BytesOf(rows), stream_), "wiping rows"));
    return Wait("wiping rows");
  }

  StatusOr<std::vector<Best>> Search(std::span<const Part> parts, std::span<const uint16_t> queries,
                                     size_t dimension, size_t wanted) override {
    const size_t count = queries.size() / dimension;
    FACEGATE_CHECK(count >= 1 && count <= kMostQueries && count * dimension == queries.size() &&
                   wanted >= 1 && wanted <= most_wanted());
    std::vector<Best> best(parts.size());
    size_t found = 0;
    for (size_t i = 0; i < parts.size(); ++i) {
      const FaissBlock& block = BlockOf(*parts[i].block);
      FACEGATE_CHECK(block.dimension() == dimension && parts[i].rows >= 1 &&
                     IsIn(block, 0, parts[i].rows));
      best[i].of_query = std::min(wanted, parts[i].rows);
      found += count * best[i].of_query;
    }
    FACEGATE_RETURN_IF_ERROR(Choose());
    FACEGATE_RETURN_IF_ERROR(Reserve(parts, best, queries.size(), count, found));
    const Status queued = Queue(parts, best, queries, dimension, found);
    // Whatever was queued is over before the memory that it uses is used again.
    FACEGATE_RETURN_IF_ERROR(Wait("searching"));
    FACEGATE_RETURN_IF_ERROR(queued);
    FACEGATE_RETURN_IF_ERROR(Read(parts, count, found, best));
    return best;
  }

 private:
  static const FaissBlock& BlockOf(const Block& block) {
    return static_cast<const FaissBlock&>(block);
  }
  static bool IsIn(const FaissBlock& block, size_t at, size_t rows) {
    return at <= block.rows() && rows <= block.rows() - at;
  }

  // Of this thread. Also forgets what CUDA had said in it, which FAISS would end the process for.
  Status Choose() const {
    const Status chosen = StatusOf(::cudaSetDevice(device_.card), device_.name());
    ::cudaGetLastError();
    return chosen;
  }
  Status Wait(std::string_view what) const {
    return StatusOf(::cudaStreamSynchronize(stream_), what);
  }

  // CUDA reads a kernel when it is launched first, which takes memory of the card: those of FAISS
  // are all launched while there is some.
  Status TrySearch() {
    constexpr size_t kRows = size_t{1} << 14;
    constexpr size_t kDimension = 8;
    FACEGATE_ASSIGN_OR_RETURN(const auto block, Allocate(kRows, kDimension));
    FACEGATE_RETURN_IF_ERROR(Wipe(*block, 0, kRows));
    const std::vector<uint16_t> query(kDimension);
    const Part part{.block = block.get(), .rows = kRows};
    for (size_t wanted = most_wanted(); wanted > 0; wanted /= 2) {
      FACEGATE_RETURN_IF_ERROR(Search(std::span(&part, 1), query, kDimension, wanted).status());
    }
    return OkStatus();
  }

  Status Reserve(std::span<const Part> parts, std::span<const Best> best, size_t halves,
                 size_t queries, size_t found) {
    for (size_t i = 0; i < parts.size(); ++i) {
      FACEGATE_RETURN_IF_ERROR(ranking_->Reserve(queries, parts[i].rows, best[i].of_query));
    }
    FACEGATE_RETURN_IF_ERROR(queries_.Reserve(halves));
    FACEGATE_RETURN_IF_ERROR(sent_.Reserve(halves));
    FACEGATE_RETURN_IF_ERROR(found_.Reserve(2 * found));
    return received_.Reserve(2 * found);
  }

  Status Queue(std::span<const Part> parts, std::span<const Best> best,
               std::span<const uint16_t> queries, size_t dimension, size_t found) {
    std::memcpy(sent_.data(), queries.data(), queries.size_bytes());
    FACEGATE_RETURN_IF_ERROR(
        StatusOf(::cudaMemcpyAsync(queries_.data(), sent_.data(), queries.size_bytes(),
                                   cudaMemcpyHostToDevice, stream_),
                 "sending queries"));
    const HalfVectors all{.halves = queries_.data(), .count = queries.size() / dimension};
    // All products, then all places.
    auto* products = reinterpret_cast<float*>(found_.data());
    auto* places = reinterpret_cast<int*>(found_.data() + found);
    for (size_t i = 0; i < parts.size(); ++i) {
      const HalfVectors rows{.halves = BlockOf(*parts[i].block).Row(0), .count = parts[i].rows};
      FACEGATE_RETURN_IF_ERROR(
          ranking_->Rank(all, rows, dimension, best[i].of_query, products, places));
      products += all.count * best[i].of_query;
      places += all.count * best[i].of_query;
    }
    return StatusOf(::cudaMemcpyAsync(received_.data(), found_.data(), 2 * found * sizeof(uint32_t),
                                      cudaMemcpyDeviceToHost, stream_),
                    "receiving rows");
  }

  // Takes what was received apart.
  Status Read(std::span<const Part> parts, size_t queries, size_t found,
              std::vector<Best>& best) const {
    const uint32_t* products = received_.data();
    const uint32_t* rows = received_.data() + found;
    for (size_t i = 0; i < parts.size(); ++i) {
      const size_t count = queries * best[i].of_query;
      best[i].products.resize(count);
      std::memcpy(best[i].products.data(), products, count * sizeof(float));
      best[i].rows.assign(rows, rows + count);
      // So it is where a product was no number, as of a row that was damaged on the card.
      if (std::any_of(rows, rows + count, [&](uint32_t row) { return row >= parts[i].rows; })) {
        return Internal("the card found a row that is not there");
      }
      products += count;
      rows += count;
    }
    return OkStatus();
  }

  const Device device_;
  cudaStream_t stream_ = nullptr;
  std::unique_ptr<RowRanking> ranking_;
  CardValues<uint16_t> queries_;
  CardValues<uint32_t> found_;
  CardValues<uint16_t> sent_{CardMemory::OfMachine};
  CardValues<uint32_t> received_{CardMemory::OfMachine};
};

// FAISS has no kernels for cards that are older than it was built for.
Status CheckKernels(const CudaCard& card, const Device& device) {
  constexpr int kBuiltFor = FACEGATE_FAISS_CAPABILITY;
  if (card.capability >= kBuiltFor) return OkStatus();
  return FailedPrecondition(
      fmt::format("device {} has compute capability {}.{}, and FAISS is built for {}.{} and newer: "
                  "deploy/bootstrap.sh --gpu --cuda-arch {},{} builds it for both",
                  device.words(), card.capability / 10, card.capability % 10, kBuiltFor / 10,
                  kBuiltFor % 10, card.capability, kBuiltFor));
}

}  // namespace

StatusOr<std::unique_ptr<SearchCard>> OpenFaissCard(int number) {
  return CatchToStatus(
      "opening a card for searches", [&]() -> StatusOr<std::unique_ptr<SearchCard>> {
        const CudaMachine machine = FindCuda();
        FACEGATE_ASSIGN_OR_RETURN(const Device device,
                                  ChooseDevice(fmt::format("cuda:{}", number), machine));
        FACEGATE_RETURN_IF_ERROR(CheckKernels(machine.cards[static_cast<size_t>(number)], device));
        auto card = std::make_unique<FaissCard>(device);
        FACEGATE_RETURN_IF_ERROR(card->Start());
        return card;
      });
}

}  // namespace facegate
