"""New intermediates, cluster by cluster, and what a rotation of the root has come to."""
