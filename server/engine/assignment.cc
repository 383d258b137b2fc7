#include "server/engine/assignment.h"

#include <limits>

#include "face/base/check.h"

namespace facegate {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Costs of rows x columns. Behind the given columns each row has one of its own, at cost 0: to get
// none. What may not be put together costs too much to be chosen before that.
class Costs {
 public:
  Costs(size_t rows, size_t columns, std::span<const WeightedPair> pairs)
      : width_(columns + rows), values_(rows * width_, kForbidden) {
    for (size_t row = 0; row < rows; ++row) values_[row * width_ + columns + row] = 0.0;
    for (const WeightedPair& pair : pairs) {
      FACEGATE_CHECK(pair.row < rows && pair.column < columns && pair.weight >= 0.0);
      values_[pair.row * width_ + pair.column] = -pair.weight;
    }
  }
  size_t width() const { return width_; }
  double at(size_t row, size_t column) const { return values_[row * width_ + column]; }

 private:
  static constexpr double kForbidden = 1e9;

  const size_t width_;
  std::vector<double> values_;
};

class Solver {
 public:
  Solver(const Costs& costs, size_t rows)
      : costs_(costs),
        row_price_(rows, 0.0),
        column_price_(costs.width(), 0.0),
        row_of_(costs.width(), std::nullopt) {
    for (size_t row = 0; row < rows; ++row) Add(row);
  }

  // Which row each column has.
  const std::vector<std::optional<size_t>>& row_of() const { return row_of_; }

 private:
  // Gives `row` a column along the cheapest path that moves other rows to other columns.
  void Add(size_t row) {
    const size_t width = costs_.width();
    std::vector<double> distance(width, kInfinity);
    std::vector<std::optional<size_t>> before(width);  // the column before this one on its path
    std::vector<bool> done(width, false);
    std::vector<size_t> path_rows{row};
    std::vector<size_t> path_columns;
    std::optional<size_t> last;  // the column reached last
    size_t at_row = row;
    double reached = 0.0;
    for (;;) {
      size_t nearest = width;
      for (size_t column = 0; column < width; ++column) {
        if (done[column]) continue;
        const double through =
            reached + costs_.at(at_row, column) - row_price_[at_row] - column_price_[column];
        if (through < distance[column]) {
          distance[column] = through;
          before[column] = last;
        }
        if (nearest == width || distance[column] < distance[nearest]) nearest = column;
      }
      reached = distance[nearest];
      last = nearest;
      if (!row_of_[nearest].has_value()) break;
      done[nearest] = true;
      path_columns.push_back(nearest);
      at_row = *row_of_[nearest];
      path_rows.push_back(at_row);
    }
    row_price_[row] += reached;
    for (size_t i = 0; i < path_columns.size(); ++i) {
      const double slack = reached - distance[path_columns[i]];
      column_price_[path_columns[i]] -= slack;
      row_price_[path_rows[i + 1]] += slack;
    }
    for (std::optional<size_t> column = last; column.has_value(); column = before[*column]) {
      row_of_[*column] = before[*column].has_value() ? row_of_[*before[*column]] : row;
    }
  }

  const Costs& costs_;
  std::vector<double> row_price_;
  std::vector<double> column_price_;
  std::vector<std::optional<size_t>> row_of_;
};

}  // namespace

std::vector<std::optional<size_t>> BestAssignment(size_t rows, size_t columns,
                                                  std::span<const WeightedPair> pairs) {
  std::vector<std::optional<size_t>> assigned(rows);
  const Costs costs(rows, columns, pairs);
  const Solver solver(costs, rows);
  for (size_t column = 0; column < columns; ++column) {
    if (const auto row = solver.row_of()[column]; row.has_value()) assigned[*row] = column;
  }
  return assigned;
}

}  // namespace facegate
