"""Reading: a case becomes tensors, the network answers window by window, the answer lands on the case's own grid."""
