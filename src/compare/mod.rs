//! How alike is this pair? Candidate pair → comparison vector.
