#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <utility>

#include "index/rows/approximate/background_threads.h"
#include "index/rows/approximate/node_search.h"
#include "index/rows/float_dot.h"

namespace facegate {
namespace {

constexpr size_t kLeastInList = 32;   // on average
constexpr double kListsOfRoot = 4.0;  // as many lists as the square root of the rows, times that
constexpr size_t kDrawnForList = 64;  // rows of which the centres are made
constexpr int kRounds = 8;
// A search without effort looks through one list of so many; each effort doubles that.
constexpr size_t kShareOfLists = 64;
constexpr size_t kScoredAtOnce = 4096;               // between two questions
constexpr size_t kProductsAtOnce = size_t{1} << 27;  // of values, by each thread
constexpr size_t kTogether = 16;                     // rows that are held against a centre
constexpr uint32_t kNoList = std::numeric_limits<uint32_t>::max();

// Means of rows. Leaves none behind in memory that others get.
class Centres {
 public:
  Centres(size_t count, size_t dimension)
      : dimension_(dimension), count_(count), values_(count * dimension) {}
  ~Centres() { std::fill(values_.begin(), values_.end(), 0.0f); }
  Centres(const Centres&) = default;
  Centres(Centres&&) = default;
  Centres& operator=(const Centres&) = delete;

  size_t count() const { return count_; }
  std::span<const float> Of(size_t centre) const {
    return {values_.data() + centre * dimension_, dimension_};
  }
  void Clear() { std::fill(values_.begin(), values_.end(), 0.0f); }
  void Clear(size_t centre) { std::fill_n(&values_[centre * dimension_], dimension_, 0.0f); }
  void Add(size_t centre, const float* vector) {
    float* const sum = &values_[centre * dimension_];
    for (size_t i = 0; i < dimension_; ++i) sum[i] += vector[i];
  }
  // A sum becomes a unit vector, if it has a direction.
  void Normalize(size_t centre) {
    const float norm = std::sqrt(FloatDot(Of(centre), Of(centre)));
    if (!(norm > 0.0f)) return;
    float* const sum = &values_[centre * dimension_];
    for (size_t i = 0; i < dimension_; ++i) sum[i] /= norm;
  }

 private:
  const size_t dimension_;
  const size_t count_;
  std::vector<float> values_;
};

// Which nodes are in which list; no vectors.
struct Lists {
  std::vector<uint32_t> list_of;  // of each node, or kNoList
  std::vector<size_t> begins;     // of each list among the members, and the end
  std::vector<uint32_t> members;

  std::span<const uint32_t> Of(size_t list) const {
    return {members.data() + begins[list], begins[list + 1] - begins[list]};
  }
};

class ListSearch final : public NodeSearch {
 public:
  ListSearch(std::shared_ptr<const Lists> lists, Centres centres, size_t dimension)
      : lists_(std::move(lists)), centres_(std::move(centres)), dimension_(dimension) {}

  StatusOr<std::vector<NodeScore>> Search(const RowNodes& nodes, std::span<const float> query,
                                          size_t wanted, size_t effort,
                                          const StopCheck& stop) const override {
    FACEGATE_RETURN_IF_ERROR(Ask(stop));
    std::vector<ListScore> lists = Scored(query);
    const size_t probed =
        std::min(lists.size(), (lists.size() * (size_t{1} << effort) - 1) / kShareOfLists + 1);
    SortFrom(lists, 0, probed);
    std::vector<NodeScore> found;
    size_t scored = 0;
    for (size_t i = 0; i < lists.size() && (i < probed || found.size() < wanted); ++i) {
      // Where few lists have too few rows, the others come in their order.
      if (i == probed) SortFrom(lists, probed, lists.size());
      FACEGATE_RETURN_IF_ERROR(ScoreList(nodes, lists[i].second, query, scored, stop, found));
      KeepBest(found, 4 * wanted, wanted);
    }
    KeepBest(found, wanted, wanted);
    return found;
  }

  std::shared_ptr<const NodeSearch> Without(const RowNodes& nodes,
                                            std::span<const uint32_t> gone) const override {
    std::vector<uint32_t> touched;
    for (const uint32_t node : gone) {
      if (lists_->list_of[node] != kNoList) touched.push_back(lists_->list_of[node]);
    }
    std::sort(touched.begin(), touched.end());
    touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
    if (touched.empty()) return nullptr;
    Centres centres = centres_;
    for (const uint32_t list : touched) {
      centres.Clear(list);
      for (const uint32_t node : lists_->Of(list)) {
        if (nodes[node].vector != nullptr) centres.Add(list, nodes[node].vector);
      }
      centres.Normalize(list);
    }
    return std::make_shared<ListSearch>(lists_, std::move(centres), dimension_);
  }

 private:
  using ListScore = std::pair<float, uint32_t>;

  std::vector<ListScore> Scored(std::span<const float> query) const {
    std::vector<ListScore> scores(centres_.count());
    for (size_t i = 0; i < scores.size(); ++i) {
      scores[i] = {FloatDot(query, centres_.Of(i)), static_cast<uint32_t>(i)};
    }
    return scores;
  }

  // Those from `begin` to `end` become the best of what follows `begin`, in their order.
  static void SortFrom(std::vector<ListScore>& lists, size_t begin, size_t end) {
    const auto first = lists.begin();
    std::partial_sort(first + static_cast<std::ptrdiff_t>(begin),
                      first + static_cast<std::ptrdiff_t>(end), lists.end(), std::greater<>());
  }

  Status ScoreList(const RowNodes& nodes, uint32_t list, std::span<const float> query,
                   size_t& scored, const StopCheck& stop, std::vector<NodeScore>& found) const {
    const std::span<const uint32_t> members = lists_->Of(list);
    for (size_t i = 0; i < members.size(); ++i) {
      if (++scored % kScoredAtOnce == 0) FACEGATE_RETURN_IF_ERROR(Ask(stop));
      if (i + 1 < members.size()) Prefetch(nodes[members[i + 1]].vector);
      const float* const vector = nodes[members[i]].vector;
      if (vector == nullptr) continue;
      found.push_back({.node = members[i], .score = FloatDot(query, {vector, dimension_})});
    }
    return OkStatus();
  }

  // Rows of a list lie far apart.
  void Prefetch(const float* vector) const {
    constexpr size_t kLine = 64 / sizeof(float);
    if (vector == nullptr) return;
    for (size_t i = 0; i < dimension_; i += kLine) __builtin_prefetch(vector + i);
  }

  // Where more than `most` were found.
  static void KeepBest(std::vector<NodeScore>& found, size_t most, size_t wanted) {
    if (found.size() <= most) return;
    std::nth_element(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(wanted),
                     found.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
    found.resize(wanted);
  }

  const std::shared_ptr<const Lists> lists_;
  const Centres centres_;
  const size_t dimension_;
};

// K-means on the sphere (Lloyd, 1982). Not that of FAISS, which copies vectors to memory that it
// does not wipe, and asks nobody whether it is to end.
class ListBuilder {
 public:
  ListBuilder(const RowNodes& nodes, size_t dimension)
      : nodes_(nodes),
        dimension_(dimension),
        threads_(BackgroundThreads()),
        centres_(CountOf(nodes.size()), dimension) {}

  StatusOr<std::shared_ptr<const NodeSearch>> Build(const StopCheck& between) {
    std::vector<uint32_t> drawn = Shuffled();
    drawn.resize(std::min(drawn.size(), kDrawnForList * centres_.count()));
    for (size_t i = 0; i < centres_.count(); ++i) {
      if (const float* vector = nodes_[drawn[i]].vector; vector != nullptr) centres_.Add(i, vector);
    }
    for (int round = 0; round < kRounds; ++round) {
      FACEGATE_ASSIGN_OR_RETURN(const std::vector<uint32_t> lists, Assigned(drawn, between));
      FACEGATE_RETURN_IF_ERROR(MoveCentres(drawn, lists, between));
      if (round + 1 < kRounds) PlaceIdleCentres(drawn);
    }
    std::vector<uint32_t> all(nodes_.size());
    for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint32_t>(i);
    auto lists = std::make_shared<Lists>();
    FACEGATE_ASSIGN_OR_RETURN(lists->list_of, Assigned(all, between));
    FACEGATE_RETURN_IF_ERROR(MoveCentres(all, lists->list_of, between));
    FillLists(*lists);
    const auto search = std::make_shared<ListSearch>(std::move(lists), centres_, dimension_);
    // Some may have gone since they moved a centre.
    std::erase_if(all, [&](uint32_t node) { return nodes_[node].vector != nullptr; });
    const auto without = search->Without(nodes_, all);
    return without != nullptr ? without : std::shared_ptr<const NodeSearch>(search);
  }

 private:
  static size_t CountOf(size_t nodes) {
    const auto wanted = static_cast<size_t>(kListsOfRoot * std::sqrt(static_cast<double>(nodes)));
    return std::max<size_t>(1, std::min(wanted, nodes / kLeastInList));
  }

  // In an order that has nothing to do with rows, which is the same each time.
  std::vector<uint32_t> Shuffled() const {
    std::vector<uint32_t> numbers(nodes_.size());
    for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<uint32_t>(i);
    std::mt19937 random(1);
    std::shuffle(numbers.begin(), numbers.end(), random);
    return numbers;
  }

  // The nearest centre of each of the nodes.
  StatusOr<std::vector<uint32_t>> Assigned(std::span<const uint32_t> numbers,
                                           const StopCheck& between) const {
    std::vector<uint32_t> lists(numbers.size(), kNoList);
    const size_t blocks = (numbers.size() + kTogether - 1) / kTogether;
    const size_t at_once =
        threads_ *
        std::max<size_t>(1, kProductsAtOnce / (kTogether * centres_.count() * dimension_));
    for (size_t begin = 0; begin < blocks; begin += at_once) {
      FACEGATE_RETURN_IF_ERROR(Ask(between));
      ForEachOnThreads(threads_, std::min(at_once, blocks - begin), [&](size_t, size_t number) {
        const size_t first = (begin + number) * kTogether;
        const size_t some = std::min(kTogether, numbers.size() - first);
        AssignSome(numbers.subspan(first, some), std::span(lists).subspan(first, some));
      });
    }
    return lists;
  }

  void AssignSome(std::span<const uint32_t> numbers, std::span<uint32_t> lists) const {
    float best[kTogether];
    std::fill_n(best, kTogether, -std::numeric_limits<float>::infinity());
    for (size_t centre = 0; centre < centres_.count(); ++centre) {
      for (size_t i = 0; i < numbers.size(); ++i) {
        const float* const vector = nodes_[numbers[i]].vector;
        if (vector == nullptr) continue;
        const float score = FloatDot(centres_.Of(centre), {vector, dimension_});
        if (score <= best[i]) continue;
        best[i] = score;
        lists[i] = static_cast<uint32_t>(centre);
      }
    }
  }

  // Each centre goes to the middle of the rows that are nearest to it; where there are none it is
  // no centre any more.
  Status MoveCentres(std::span<const uint32_t> numbers, std::span<const uint32_t> lists,
                     const StopCheck& between) {
    centres_.Clear();
    for (size_t i = 0; i < numbers.size(); ++i) {
      if (i % kScoredAtOnce == 0) FACEGATE_RETURN_IF_ERROR(Ask(between));
      const float* const vector = nodes_[numbers[i]].vector;
      if (lists[i] != kNoList && vector != nullptr) centres_.Add(lists[i], vector);
    }
    for (size_t centre = 0; centre < centres_.count(); ++centre) centres_.Normalize(centre);
    return OkStatus();
  }

  // One that is no centre any more begins again at a row.
  void PlaceIdleCentres(std::span<const uint32_t> numbers) {
    for (size_t centre = 0; centre < centres_.count(); ++centre) {
      if (FloatDot(centres_.Of(centre), centres_.Of(centre)) > 0.0f) continue;
      const float* const vector = nodes_[numbers[random_() % numbers.size()]].vector;
      if (vector != nullptr) centres_.Add(centre, vector);
    }
  }

  void FillLists(Lists& lists) const {
    lists.begins.assign(centres_.count() + 1, 0);
    for (const uint32_t list : lists.list_of) {
      if (list != kNoList) lists.begins[list + 1] += 1;
    }
    for (size_t i = 0; i < centres_.count(); ++i) lists.begins[i + 1] += lists.begins[i];
    lists.members.resize(lists.begins.back());
    std::vector<size_t> ends(lists.begins.begin(), lists.begins.end() - 1);
    for (size_t node = 0; node < lists.list_of.size(); ++node) {
      if (lists.list_of[node] == kNoList) continue;
      lists.members[ends[lists.list_of[node]]++] = static_cast<uint32_t>(node);
    }
  }

  const RowNodes& nodes_;
  const size_t dimension_;
  const size_t threads_;
  Centres centres_;
  std::mt19937 random_{2};
};

}  // namespace

StatusOr<std::shared_ptr<const NodeSearch>> BuildLists(const RowNodes& nodes, size_t dimension,
                                                       const StopCheck& between) {
  return ListBuilder(nodes, dimension).Build(between);
}

}  // namespace facegate
