#include <faiss/impl/AuxIndexStructures.h>
#include <faiss/impl/DistanceComputer.h>
#include <faiss/impl/HNSW.h>

#include <algorithm>
#include <limits>
#include <new>
#include <random>
#include <utility>

#include "face/base/mutex.h"
#include "index/rows/approximate/background_threads.h"
#include "index/rows/approximate/node_search.h"
#include "index/rows/float_dot.h"

namespace facegate {
namespace {

using faiss::HNSW;

constexpr int kNeighbours = 16;          // of a node on the upper levels; twice as many below
constexpr int kConstructionEffort = 80;  // nodes that are looked at to find them
constexpr size_t kLeastLookedAt = 64;    // by a search without effort; doubled by each effort
constexpr size_t kAddedAtOnce = 8;       // by each thread, between two questions
constexpr size_t kPreparedAtOnce = 10'000;
constexpr size_t kBytesToAdd = size_t{96} * 1024;  // more than FAISS takes to add a node
constexpr size_t kScoredAtOnce = 4096;             // between two questions

// More than what rounding makes of equal vectors, and too little to matter between others.
constexpr float kMostNoise = 1e-5f;

// Of a node without a row. FAISS looks for short distances, which are negative scores here.
constexpr float kFarthest = std::numeric_limits<float>::max();

// What ends a search inside of FAISS, where it holds nothing that others wait for.
struct SearchHasEnded {
  Status status;
};

class NodeDistance final : public faiss::DistanceComputer {
 public:
  NodeDistance(const RowNodes& nodes, size_t dimension, StopCheck stop = {})
      : nodes_(nodes), dimension_(dimension), stop_(std::move(stop)) {}

  void set_query(const float* query) override { query_ = query; }
  // Throws SearchHasEnded.
  float operator()(idx_t node) override {
    if (++scored_ % kScoredAtOnce == 0) {
      if (Status status = Ask(stop_); !status.ok()) throw SearchHasEnded{std::move(status)};
    }
    return Between(query_, VectorOf(node));
  }
  // Only a build asks for it, to choose neighbours: FAISS leaves out a node only where it is nearer
  // to another one than to the node that chooses. Of many equal vectors none would be, and they
  // would have no neighbours but each other.
  float symmetric_dis(idx_t a, idx_t b) override {
    return Between(VectorOf(a), VectorOf(b)) - NoiseOf(a, b);
  }

 private:
  const float* VectorOf(idx_t node) const { return nodes_[static_cast<size_t>(node)].vector; }
  // From 0 to kMostNoise, the same for a pair each time (mixed as in SplitMix64, Steele et al.,
  // 2014).
  static float NoiseOf(idx_t a, idx_t b) {
    uint64_t mixed =
        (static_cast<uint64_t>(std::min(a, b)) << 32U) + static_cast<uint64_t>(std::max(a, b));
    mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
    return static_cast<float>((mixed ^ (mixed >> 31U)) >> 40U) * (kMostNoise / 16777216.0f);
  }
  float Between(const float* a, const float* b) const {
    if (a == nullptr || b == nullptr) return kFarthest;
    return -FloatDot({a, dimension_}, {b, dimension_});
  }

  const RowNodes& nodes_;
  const size_t dimension_;
  const StopCheck stop_;
  const float* query_ = nullptr;
  size_t scored_ = 0;
};

// FAISS marks here what it has seen. One takes a byte a node and is made clean when it is new only,
// so they are kept.
class VisitedTables {
 public:
  explicit VisitedTables(size_t nodes) : nodes_(nodes) {}

  std::unique_ptr<faiss::VisitedTable> Take() {
    {
      const MutexLock lock(mutex_);
      if (!kept_.empty()) {
        auto table = std::move(kept_.back());
        kept_.pop_back();
        return table;
      }
    }
    return std::make_unique<faiss::VisitedTable>(static_cast<int>(nodes_));
  }
  void Keep(std::unique_ptr<faiss::VisitedTable> table) {
    const MutexLock lock(mutex_);
    if (kept_.size() < kMostKept) kept_.push_back(std::move(table));
  }

 private:
  static constexpr size_t kMostKept = 8;

  const size_t nodes_;
  Mutex mutex_;
  std::vector<std::unique_ptr<faiss::VisitedTable>> kept_ FACEGATE_GUARDED_BY(mutex_);
};

class GraphSearch final : public NodeSearch {
 public:
  GraphSearch(std::unique_ptr<const HNSW> graph, size_t nodes, size_t dimension)
      : graph_(std::move(graph)), dimension_(dimension), tables_(nodes) {}

  StatusOr<std::vector<NodeScore>> Search(const RowNodes& nodes, std::span<const float> query,
                                          size_t wanted, size_t effort,
                                          const StopCheck& stop) const override {
    FACEGATE_RETURN_IF_ERROR(Ask(stop));
    NodeDistance distance(nodes, dimension_, stop);
    distance.set_query(query.data());
    // FAISS looks at as many as it is asked for, at least.
    const size_t looked_at = std::max(kLeastLookedAt << effort, wanted);
    std::vector<float> distances(looked_at);
    std::vector<HNSW::idx_t> numbers(looked_at, -1);
    auto table = tables_.Take();
    try {
      graph_->search(distance, static_cast<int>(looked_at), numbers.data(), distances.data(),
                     *table);
    } catch (const SearchHasEnded& end) {
      return end.status;
    }
    tables_.Keep(std::move(table));
    std::vector<NodeScore> found;
    found.reserve(looked_at);
    for (size_t i = 0; i < looked_at; ++i) {
      if (numbers[i] < 0 || nodes[static_cast<size_t>(numbers[i])].vector == nullptr) continue;
      found.push_back({.node = static_cast<uint32_t>(numbers[i]), .score = -distances[i]});
    }
    return found;
  }

  std::shared_ptr<const NodeSearch> Without(const RowNodes& /*nodes*/,
                                            std::span<const uint32_t> /*gone*/) const override {
    return nullptr;  // who is whose neighbour says nothing of a vector
  }

 private:
  const std::unique_ptr<const HNSW> graph_;
  const size_t dimension_;
  mutable VisitedTables tables_;
};

class Locks {
 public:
  explicit Locks(size_t count) : locks_(count) {
    for (omp_lock_t& lock : locks_) omp_init_lock(&lock);
  }
  ~Locks() {
    for (omp_lock_t& lock : locks_) omp_destroy_lock(&lock);
  }
  Locks(const Locks&) = delete;
  Locks& operator=(const Locks&) = delete;
  std::vector<omp_lock_t>& all() { return locks_; }

 private:
  std::vector<omp_lock_t> locks_;
};

// HNSW::add_with_locks() as IndexHNSW::add() calls it, but in small steps, on our own threads.
class GraphBuilder {
 public:
  GraphBuilder(const RowNodes& nodes, size_t dimension)
      : nodes_(nodes),
        threads_(BackgroundThreads()),
        graph_(std::make_unique<HNSW>(kNeighbours)),
        locks_(nodes.size()) {
    graph_->efConstruction = kConstructionEffort;
    graph_->efSearch = 1;
    graph_->search_bounded_queue = false;  // the other queue takes a time that grows by the square
    for (size_t i = 0; i < threads_; ++i) {
      tables_.push_back(std::make_unique<faiss::VisitedTable>(static_cast<int>(nodes.size())));
      distances_.push_back(std::make_unique<NodeDistance>(nodes, dimension));
    }
  }

  Status Build(const StopCheck& between) {
    FACEGATE_RETURN_IF_ERROR(DrawLevels(between));
    const std::vector<uint32_t> order = Order();
    FACEGATE_RETURN_IF_ERROR(Ask(between));
    // The first one alone, because no level but its own is above the others and FAISS does not lock
    // that. The graph is then empty for want of rows only.
    size_t added = 0;
    while (added < order.size() && graph_->entry_point < 0) Add(0, order[added++]);
    while (added < order.size()) {
      FACEGATE_RETURN_IF_ERROR(Ask(between));
      const size_t some = std::min(kAddedAtOnce * threads_, order.size() - added);
      ForEachOnThreads(threads_, some,
                       [&](size_t thread, size_t number) { Add(thread, order[added + number]); });
      added += some;
    }
    return OkStatus();
  }

  std::unique_ptr<const HNSW> Take() { return std::move(graph_); }

 private:
  Status DrawLevels(const StopCheck& between) {
    graph_->neighbors.reserve(nodes_.size() * (2 * kNeighbours + 2));
    for (size_t done = 0; done < nodes_.size();) {
      FACEGATE_RETURN_IF_ERROR(Ask(between));
      const size_t some = std::min(kPreparedAtOnce, nodes_.size() - done);
      graph_->prepare_level_tab(some);
      done += some;
    }
    return OkStatus();
  }

  // Those of the highest level first; of one level in an order that has nothing to do with rows.
  std::vector<uint32_t> Order() const {
    std::vector<uint32_t> numbers(nodes_.size());
    for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<uint32_t>(i);
    std::mt19937 random(1);
    std::shuffle(numbers.begin(), numbers.end(), random);
    std::vector<std::vector<uint32_t>> of_level;
    for (const uint32_t number : numbers) {
      const auto level = static_cast<size_t>(graph_->levels[number]);
      if (of_level.size() <= level) of_level.resize(level + 1);
      of_level[level].push_back(number);
    }
    std::vector<uint32_t> order;
    order.reserve(numbers.size());
    for (auto level = of_level.rbegin(); level != of_level.rend(); ++level) {
      order.insert(order.end(), level->begin(), level->end());
    }
    return order;
  }

  void Add(size_t thread, uint32_t number) {
    if (nodes_[number].vector == nullptr) return;
    // A lack of memory shows here, and not where FAISS holds a lock for which others wait.
    ::operator delete(::operator new(kBytesToAdd));
    NodeDistance& distance = *distances_[thread];
    distance.set_query(nodes_[number].vector);
    graph_->add_with_locks(distance, graph_->levels[number] - 1, static_cast<int>(number),
                           locks_.all(), *tables_[thread]);
  }

  const RowNodes& nodes_;
  const size_t threads_;
  std::unique_ptr<HNSW> graph_;
  Locks locks_;
  std::vector<std::unique_ptr<faiss::VisitedTable>> tables_;  // one for each thread
  std::vector<std::unique_ptr<NodeDistance>> distances_;
};

}  // namespace

StatusOr<std::shared_ptr<const NodeSearch>> BuildGraph(const RowNodes& nodes, size_t dimension,
                                                       const StopCheck& between) {
  GraphBuilder builder(nodes, dimension);
  FACEGATE_RETURN_IF_ERROR(builder.Build(between));
  return std::shared_ptr<const NodeSearch>(
      std::make_shared<GraphSearch>(builder.Take(), nodes.size(), dimension));
}

}  // namespace facegate
