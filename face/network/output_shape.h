#pragma once

#include <cstdint>
#include <vector>

#include "face/base/status.h"
#include "face/network/description.h"

namespace facegate::network {

// Extents say what a layer takes or gives for one picture: channels, height and width of a map;
// tokens and their channels; or a length alone.
using Extents = std::vector<int64_t>;

// The numbers of each place of a map, of each token, or of a list.
inline int64_t ChannelsOf(const Extents& value) { return value.size() == 2 ? value[1] : value[0]; }

// Tells what a layer, or a group of layers, gives. kInvalidArgument where it does not take such an
// input: other channels, a picture that is smaller than a kernel, branches that differ; for fields
// out of the ranges of layer_fields.h; and for an output, or likenesses of tokens, of more than
// 2^28 numbers.
StatusOr<Extents> OutputOf(const LayerKind& layer, const Extents& input);

// Tells what values give that are joined, two of them, or several for kConcat.
StatusOr<Extents> OutputOfJoin(Join join, const std::vector<Extents>& inputs);

// Tells the same of each value of a graph: of its input, and of what each call gives.
// kInvalidArgument also where a call names a layer or a value that is not there before it, and
// where the calls give more than 2^32 numbers in all.
StatusOr<std::vector<Extents>> ValuesOf(const Graph& graph, const Extents& input);

}  // namespace facegate::network
