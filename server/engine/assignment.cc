#include "server/engine/assignment.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <unordered_map>
#include <utility>

#include "face/base/check.h"

namespace facegate {
namespace {

struct Edge {
  size_t column = 0;
  double cost = 0.0;
};

// Lists the edges of each row. Behind the given columns each row has one of its own, at cost 0: it
// stands for getting none.
std::vector<std::vector<Edge>> EdgesOf(size_t rows, size_t columns,
                                       std::span<const WeightedPair> pairs) {
  std::vector<std::vector<Edge>> edges(rows);
  for (const WeightedPair& pair : pairs) {
    FACEGATE_CHECK(pair.row < rows && pair.column < columns && pair.weight >= 0.0);
    edges[pair.row].push_back({.column = pair.column, .cost = -pair.weight});
  }
  for (size_t row = 0; row < rows; ++row) {
    std::vector<Edge>& of_row = edges[row];
    // The other rows take one column each: of a row's best as many as there are rows, one is left
    // for it.
    if (of_row.size() > rows) {
      std::nth_element(of_row.begin(), of_row.begin() + static_cast<std::ptrdiff_t>(rows),
                       of_row.end(), [](const Edge& a, const Edge& b) { return a.cost < b.cost; });
      of_row.resize(rows);
    }
    of_row.push_back({.column = columns + row, .cost = 0.0});
  }
  return edges;
}

class Solver {
 public:
  Solver(std::vector<std::vector<Edge>> edges, size_t columns)
      : edges_(std::move(edges)),
        row_price_(edges_.size(), 0.0),
        column_price_(columns + edges_.size(), 0.0),
        row_of_(columns + edges_.size(), std::nullopt) {}

  Status Solve(const StopCheck& stop) {
    for (size_t row = 0; row < edges_.size(); ++row) FACEGATE_RETURN_IF_ERROR(Add(row, stop));
    return OkStatus();
  }

  // The row that each column has got.
  const std::vector<std::optional<size_t>>& row_of() const { return row_of_; }

 private:
  // A column that some path leads to.
  struct Reached {
    double distance = 0.0;
    std::optional<size_t> before;  // the column before this one on its path
    bool done = false;
  };

  // Gives `row` a column along the cheapest path that moves other rows to other columns.
  Status Add(size_t row, const StopCheck& stop) {
    std::unordered_map<size_t, Reached> reached;
    using Next = std::pair<double, size_t>;  // distance, column; overtaken ones stay behind
    std::priority_queue<Next, std::vector<Next>, std::greater<>> next;
    std::vector<size_t> path_rows{row};
    std::vector<size_t> path_columns;
    std::optional<size_t> last;  // the column reached last
    size_t at_row = row;
    double length = 0.0;
    for (;;) {
      FACEGATE_RETURN_IF_ERROR(Ask(stop));
      for (const Edge& edge : edges_[at_row]) {
        const double through = length + edge.cost - row_price_[at_row] - column_price_[edge.column];
        const auto [place, added] = reached.try_emplace(edge.column);
        Reached& column = place->second;
        if (!added && (column.done || column.distance <= through)) continue;
        column.distance = through;
        column.before = last;
        next.emplace(through, edge.column);
      }
      // A row's own column is always within reach.
      while (reached.at(next.top().second).done) next.pop();
      const size_t nearest = next.top().second;
      length = next.top().first;
      last = nearest;
      if (!row_of_[nearest].has_value()) break;
      reached.at(nearest).done = true;
      path_columns.push_back(nearest);
      at_row = *row_of_[nearest];
      path_rows.push_back(at_row);
    }
    row_price_[row] += length;
    for (size_t i = 0; i < path_columns.size(); ++i) {
      const double slack = length - reached.at(path_columns[i]).distance;
      column_price_[path_columns[i]] -= slack;
      row_price_[path_rows[i + 1]] += slack;
    }
    for (std::optional<size_t> column = last; column.has_value();) {
      const std::optional<size_t> before = reached.at(*column).before;
      row_of_[*column] = before.has_value() ? row_of_[*before] : row;
      column = before;
    }
    return OkStatus();
  }

  const std::vector<std::vector<Edge>> edges_;
  std::vector<double> row_price_;
  std::vector<double> column_price_;
  std::vector<std::optional<size_t>> row_of_;
};

}  // namespace

StatusOr<std::vector<std::optional<size_t>>> BestAssignment(size_t rows, size_t columns,
                                                            std::span<const WeightedPair> pairs,
                                                            const StopCheck& stop) {
  std::vector<std::optional<size_t>> assigned(rows);
  Solver solver(EdgesOf(rows, columns, pairs), columns);
  FACEGATE_RETURN_IF_ERROR(solver.Solve(stop));
  for (size_t column = 0; column < columns; ++column) {
    if (const auto row = solver.row_of()[column]; row.has_value()) assigned[*row] = column;
  }
  return assigned;
}

}  // namespace facegate
