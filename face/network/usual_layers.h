#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "face/network/description.h"

// What the descriptions of several families of networks are written with.
namespace facegate::network {

// Convolutions without bias; 3×3 pads by 1.
Convolution Conv3x3(int64_t in, int64_t out, int64_t stride = 1);
Convolution Conv1x1(int64_t in, int64_t out, int64_t stride = 1);
// Each channel for itself, padded by half the kernel.
Convolution DepthwiseConvolution(int64_t channels, int64_t kernel, int64_t stride);

// Squares have one number for both sides, as Window has them.
Window SquareWindow(int64_t kernel, int64_t stride, int64_t padding);

// Counts the numbers that the layers give for one picture; 0 where they do not take it.
int64_t NumbersAfter(const Input& input, const std::vector<Layer>& layers);

// The extents whose product is `places` and that are nearest to a square, no wider than high;
// nothing for less than 1.
std::optional<Sides> SidesOf(int64_t places);

// Writes a graph call by call. Values have the numbers of Call: 0 is the graph's input.
class GraphWriter {
 public:
  // Appends a layer and calls it. Returns the value that it gives.
  size_t Add(std::string name, LayerKind kind, size_t input);
  // Calls the layer of that name, which was added, once more.
  size_t Again(std::string_view name, size_t input);
  size_t Meet(Join how, std::vector<size_t> inputs);
  // Takes the graph out.
  Graph Take();

 private:
  Graph graph_;
};

}  // namespace facegate::network
